create table person (
  id bigint generated always as identity primary key,
  name text not null unique,
  password text not null,
  since timestamptz not null default now()
);

-- A session is known by the hash of its token: who reads the table cannot use it.
create table session (
  token bytea primary key,
  person bigint not null references person on delete cascade,
  until timestamptz not null
);
