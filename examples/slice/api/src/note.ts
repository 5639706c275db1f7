import type { Sql } from "postgres";
import type { Person } from "./person.ts";

export interface Note {
  readonly id: string;
  readonly text: string;
  readonly at: Date;
}

const mostNotes = 200;

/** The newest first. */
export function notesOf(sql: Sql, person: Person): Promise<readonly Note[]> {
  return sql<Note[]>`
    select id, text, at from note where person = ${person.id} order by note.id desc limit ${mostNotes}`;
}

export async function addNote(sql: Sql, person: Person, text: string): Promise<Note | undefined> {
  const [note] = await sql<Note[]>`
    insert into note (person, text) values (${person.id}, ${text}) returning id, text, at`;
  return note;
}

/** Whether there was one of theirs. */
export async function removeNote(sql: Sql, person: Person, id: string): Promise<boolean> {
  const { count } = await sql`delete from note where id = ${id} and person = ${person.id}`;
  return count === 1;
}
