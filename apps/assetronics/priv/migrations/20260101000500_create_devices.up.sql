create table devices (
    id text primary key,
    tenant text not null references tenants (slug),
    mac text not null,
    name text not null,
    firmware text not null,
    simulated integer not null,
    last_seen integer not null,
    inserted_at integer not null,
    updated_at integer not null
) strict;
create unique index devices_tenant_mac on devices (tenant, mac);
