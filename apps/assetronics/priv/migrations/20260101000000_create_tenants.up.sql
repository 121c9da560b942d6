create table tenants (
    slug text primary key,
    name text not null,
    inserted_at integer not null
) strict;
