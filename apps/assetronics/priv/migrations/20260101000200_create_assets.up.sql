-- Times are milliseconds, amounts hundredths. `search` is what `q` looks in: tag, name, serial, make, model and employee.
create table assets (
    id text primary key,
    tenant text not null references tenants (slug),
    tag text not null,
    name text not null,
    description text,
    category text not null,
    status text not null,
    condition text not null,
    make text,
    model text,
    serial text,
    purchase_date text,
    cost integer constraint assets_cost_not_negative check (cost is null or cost >= 0),
    vendor text,
    location text,
    warranty_end text,
    employee_id text references employees (id),
    employee_name text,
    assigned_at integer,
    assignment_type text,
    expected_return text,
    notes text,
    inserted_at integer not null,
    updated_at integer not null,
    search text not null
) strict;
-- One index for each order that the list offers, and for each filter that chooses few rows.
create unique index assets_tenant_tag on assets (tenant, tag);
create index assets_tenant_name on assets (tenant, name, id);
create index assets_tenant_updated_at on assets (tenant, updated_at, id);
create index assets_tenant_inserted_at on assets (tenant, inserted_at, id);
create index assets_tenant_category on assets (tenant, category, tag);
create index assets_tenant_status on assets (tenant, status, cost);
create index assets_tenant_location on assets (tenant, location, id);
create index assets_tenant_cost on assets (tenant, cost, id);
create index assets_tenant_employee_name on assets (tenant, employee_name, id);
create index assets_employee_id on assets (employee_id, tenant);
create index assets_tenant_search on assets (tenant, search);
