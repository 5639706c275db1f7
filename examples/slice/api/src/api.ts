import type { IncomingMessage, ServerResponse } from "node:http";
import type { Sql } from "postgres";
import { addNote, notesOf, removeNote } from "./note.ts";
import { Busy } from "./password.ts";
import { addPerson, closeSession, openSession, type Person, personOf, sessionSeconds, signIn } from "./person.ts";
import { Refusal, readBody, requireSameSite, sessionCookie, textOf, tokenOf } from "./request.ts";
import type { Settings } from "./setting.ts";

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly cookie?: string;
}

/** What there is to ask for, as `METHOD /path`. */
type Route = (request: IncomingMessage, id: string) => Promise<Answer>;

const nothing: Route = async () => ({ status: 404, body: { error: "There is nothing here." } });
const ok = (body: unknown): Answer => ({ status: 200, body });

/** Answers a request, whatever comes; never throws. */
export function openApi(sql: Sql, settings: Settings) {
  const routes = makeRoutes(sql, settings);
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = "/"] = (request.url ?? "/").split("?");
    const id = /^\/api\/notes\/(\d{1,18})$/.exec(path)?.[1] ?? "";
    const route = routes[`${request.method} ${id === "" ? path : "/api/notes/:id"}`];
    const answer = await run(route ?? nothing, request, id);
    response.writeHead(answer.status, {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      ...(answer.cookie === undefined ? {} : { "set-cookie": answer.cookie }),
    });
    response.end(JSON.stringify(answer.body));
  };
}

async function run(route: Route, request: IncomingMessage, id: string): Promise<Answer> {
  try {
    if (request.method !== "GET") requireSameSite(request);
    return await route(request, id);
  } catch (thrown) {
    if (thrown instanceof Refusal) return { status: thrown.status, body: { error: thrown.message } };
    const busy = thrown instanceof Busy;
    if (!busy) process.stderr.write(`${request.method} ${request.url}: ${String(thrown)}\n`);
    const error = busy
      ? "Many people sign in now. Try again in a moment."
      : "That did not work: the database may be away. Try again.";
    return { status: 503, body: { error } };
  }
}

function makeRoutes(sql: Sql, settings: Settings): Readonly<Record<string, Route | undefined>> {
  const need = async (request: IncomingMessage): Promise<Person> => {
    const person = await personOf(sql, tokenOf(request) ?? "");
    if (person === undefined) throw new Refusal(401, "Sign in first.");
    return person;
  };
  const enter = async (request: IncomingMessage, person: Person): Promise<Answer> => {
    const token = await openSession(sql, person);
    return { ...ok({ name: person.name }), cookie: sessionCookie(request, token, sessionSeconds) };
  };
  return {
    // Once it listens it has migrated. It stays healthy when the database is away: a restart of its own would not help.
    "GET /health": async () => ok({ healthy: true }),
    "GET /api/about": async () => ok({ title: settings.title, environment: settings.environment }),
    "GET /api/me": async (request) => ok({ name: (await need(request)).name }),
    "POST /api/sign-up": async (request) => {
      const body = await readBody(request);
      const name = textOf(body, "name", { most: 40 });
      const password = textOf(body, "password", { least: 10, most: 200, exact: true });
      const person = await addPerson(sql, name, password);
      if (person === undefined) throw new Refusal(409, "Somebody has that name already.");
      return enter(request, person);
    },
    "POST /api/sign-in": async (request) => {
      const body = await readBody(request);
      const name = textOf(body, "name", { most: 40 });
      const found = await signIn(sql, name, textOf(body, "password", { most: 200, exact: true }));
      if (found.kind === "limited") throw new Refusal(429, "Too many tries. Come back in a quarter of an hour.");
      if (found.kind === "wrong") throw new Refusal(401, "The name or the password is wrong.");
      return enter(request, found.person);
    },
    "POST /api/sign-out": async (request) => {
      await closeSession(sql, tokenOf(request) ?? "");
      return { ...ok({}), cookie: sessionCookie(request, "", 0) };
    },
    "GET /api/notes": async (request) => ok(await notesOf(sql, await need(request))),
    "POST /api/notes": async (request) => {
      const person = await need(request);
      return ok(await addNote(sql, person, textOf(await readBody(request), "text", { most: 2_000 })));
    },
    "DELETE /api/notes/:id": async (request, id) => {
      if (!(await removeNote(sql, await need(request), id))) throw new Refusal(404, "There is no such note.");
      return ok({});
    },
  };
}
