create table employees (
    id text primary key,
    tenant text not null references tenants (slug),
    number text not null,
    name text not null,
    email text not null,
    title text,
    department text,
    location text,
    status text not null,
    inserted_at integer not null,
    updated_at integer not null
) strict;
create unique index employees_tenant_number on employees (tenant, number);
create unique index employees_tenant_email on employees (tenant, email);
create index employees_tenant_name on employees (tenant, name, id);
create index employees_tenant_status on employees (tenant, status, name, id);
