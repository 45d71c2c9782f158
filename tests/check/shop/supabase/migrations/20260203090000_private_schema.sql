create schema private;
create table private.secrets (name text primary key, value text not null);
revoke all on schema private from public;
