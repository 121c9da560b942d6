-- `position_offset` and `position_line` say where the first row begins that is not in yet; they change in the
-- transaction that writes the rows.
create table imports (
    id text primary key,
    tenant text not null references tenants (slug),
    filename text not null,
    status text not null,
    total integer not null,
    processed integer not null,
    created_count integer not null,
    updated_count integer not null,
    failed_count integer not null,
    error_count integer not null,
    columns text not null,
    ignored_columns text not null,
    performed_by text not null,
    position_offset integer not null,
    position_line integer not null,
    inserted_at integer not null,
    started_at integer,
    finished_at integer
) strict;
create index imports_status on imports (status, inserted_at);
create table import_errors (
    import_id text not null references imports (id),
    position integer not null,
    tenant text not null references tenants (slug),
    line integer not null,
    field text not null,
    code text not null,
    message text not null,
    value text not null,
    primary key (import_id, position)
) strict, without rowid;
