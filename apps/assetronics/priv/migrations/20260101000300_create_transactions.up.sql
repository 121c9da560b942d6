-- The ledger. It names assets and people by copies, and refers to none, so that it outlives them.
create table transactions (
    id text primary key,
    tenant text not null references tenants (slug),
    type text not null,
    asset_id text,
    asset_tag text,
    asset_name text,
    employee_id text,
    employee_name text,
    from_status text,
    to_status text,
    description text,
    performed_by text,
    performed_at integer not null
) strict;
create index transactions_tenant_performed_at on transactions (tenant, performed_at, id);
create index transactions_asset on transactions (tenant, asset_id, performed_at, id);
