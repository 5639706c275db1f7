import { type FormEvent, useEffect, useState } from "react";
import { ask } from "./ask.ts";

interface Note {
  readonly id: string;
  readonly text: string;
  readonly at: string;
}

const written = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** What somebody wrote down, the newest first. */
export function Notes() {
  const [notes, setNotes] = useState<readonly Note[]>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    void ask<readonly Note[]>("GET", "notes").then((answer) => {
      if (answer.kind === "said") setNotes(answer.said);
      else setProblem(answer.why);
    });
  }, []);
  const add = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const answer = await ask<Note>("POST", "notes", Object.fromEntries(new FormData(form)));
    setProblem(answer.kind === "said" ? "" : answer.why);
    if (answer.kind !== "said") return;
    form.reset();
    setNotes((before) => [answer.said, ...(before ?? [])]);
  };
  const remove = async (id: string) => {
    const answer = await ask("DELETE", `notes/${id}`, {});
    setProblem(answer.kind === "said" ? "" : answer.why);
    if (answer.kind === "said") setNotes((before) => before?.filter((note) => note.id !== id));
  };
  return (
    <>
      <form className="line" onSubmit={(event) => void add(event)}>
        <label>
          New note
          <input name="text" required maxLength={2000} autoComplete="off" />
        </label>
        <button type="submit">Keep</button>
      </form>
      <p role="alert">{problem}</p>
      {notes?.length === 0 && <p>Nothing is written down yet.</p>}
      <ul>
        {notes?.map(({ id, text, at }) => (
          <li key={id}>
            <span>{text}</span>
            <time dateTime={at}>{written.format(new Date(at))}</time>
            <button type="button" className="quiet" aria-label={`Remove ${text}`} onClick={() => void remove(id)}>
              Remove
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
