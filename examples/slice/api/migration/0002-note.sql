create table note (
  id bigint generated always as identity primary key,
  person bigint not null references person on delete cascade,
  text text not null,
  at timestamptz not null default now()
);

create index note_of_person on note (person, id);
