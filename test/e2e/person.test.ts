import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { type Head, linkAfter } from "../../packages/fed/src/hub/event/chain.ts";
import type { AnyEvent, FedEvent } from "../../packages/fed/src/wire/event.ts";
import type { WireMachine } from "../../packages/fed/src/wire/machine.ts";
import type { HubStatus } from "../../packages/fed/src/wire/status.ts";
import type { Link, WireToken, WireUser } from "../../packages/fed/src/wire/user.ts";
import { dataOf, linesOf, makeHome, makePerson, password } from "./person.ts";
import { expectFault } from "./program.ts";
import { until, up } from "./stage.ts";

/** What people do from a shell, by the real program: signing in, looking, letting others in, and what they may not. */

const loginFile = (home: string) => join(home, ".config/fed/logins.json");

async function editLogin(home: string, change: Readonly<Record<string, unknown>>): Promise<void> {
  const file = JSON.parse(await readFile(loginFile(home), "utf8")) as { logins: Record<string, object> };
  for (const [url, login] of Object.entries(file.logins)) file.logins[url] = { ...login, ...change };
  await writeFile(loginFile(home), JSON.stringify(file));
}

const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });

test("signing in from elsewhere, looking round, signing out", async () => {
  const { hub, owner, guest } = await makeHome();
  expect(await owner.tell(password, "user", "add", "ada", "--role", "admin", "--password-stdin")).toMatchObject({
    code: 0,
    out: "ada (admin) may sign in\n",
  });

  expectFault(await guest.fed("status"), 7, "no hub runs on");
  expectFault(await guest.fed("status", "--hub", hub.url), 10, `fed login ${hub.url}`);
  expectFault(await guest.tell("wrong", "login", hub.url, "-n", "ada", "--password-stdin"), 10, "is wrong");
  expectFault(await guest.tell("wrong", "login", hub.url, "-n", "nobody", "--password-stdin"), 10, "is wrong");
  expectFault(await guest.tell("", "login", hub.url, "-n", "ada", "--password-stdin"), 2, "no password came");
  expectFault(await guest.fed("login", hub.url, "-n", "ada"), 2, "nobody to ask");

  const login = await guest.tell(`${password}\n`, "login", hub.url, "-n", "Ada", "--password-stdin");
  expect(login).toEqual({ code: 0, out: `signed in as ada (admin) at ${hub.url}\n`, err: "" });
  expect((await stat(loginFile(guest.home))).mode & 0o777).toBe(0o600);

  expect(dataOf<HubStatus>(await guest.fed("status", "--json"))).toMatchObject({
    ready: true,
    lab: { name: "starter" },
  });
  expect((await guest.fed("status")).out).toMatch(/^SERVICE +STATE.*\ndev\/api +healthy/m);
  expect(dataOf<WireMachine[]>(await guest.fed("machines", "--json"))).toMatchObject([
    { name: "here", state: "online" },
  ]);
  expectFault(await guest.fed("user", "rescue"), 6, "on the hub's own machine");

  // Twice at once with a token that has ended: a refresh token works once, so one of them must wait for the other.
  await editLogin(guest.home, { expiresMs: 0 });
  const both = await Promise.all([guest.fed("machines"), guest.fed("status")]);
  expect(both).toMatchObject([{ code: 0 }, { code: 0 }]);
  // A token that the hub does not know although it looks good.
  await editLogin(guest.home, { accessToken: "e30.e30.x" });
  expect(await guest.fed("machines")).toMatchObject({ code: 0, err: "" });
  // Nothing to exchange it for.
  await editLogin(guest.home, { accessToken: "e30.e30.x", refreshToken: "spent" });
  expectFault(await guest.fed("machines"), 10, `fed login ${hub.url}`);
  expect(await guest.tell(password, "login", "-n", "ada", "--password-stdin")).toMatchObject({ code: 0 });

  expect(await guest.fed("logout")).toMatchObject({ code: 0, out: `signed out at ${hub.url}\n` });
  expectFault(await guest.fed("machines", "--hub", hub.url), 10, `fed login ${hub.url}`);
  expectFault(await guest.fed("logout"), 4, "nobody is signed in");
});

test("users: added, listed, changed, kept out, let in again, never without an admin", async () => {
  const { hub, owner, guest } = await makeHome();
  expect((await owner.fed("user", "list")).out).toContain("Nobody yet");
  const added = await owner.fed("user", "add", "vera");
  expect(added.code).toBe(0);
  // The link alone on stdout, to be handed on.
  expect(added.out).toMatch(new RegExp(`^${hub.url}/welcome#code=\\S{20,}\n$`));
  expectFault(await owner.fed("user", "add", "Vera"), 5, "there is a user");
  expect(await owner.tell("short", "user", "add", "ada", "--password-stdin")).toMatchObject({
    ...{ code: 2, out: "", err: "fed: password: a password has at least 10 characters\n" },
  });
  expect(await owner.tell(password, "user", "add", "ada", "--role", "admin", "--password-stdin")).toMatchObject({
    code: 0,
  });

  const code = added.out.split("#code=")[1]?.trim();
  const enrolled = await fetch(`${hub.url}/api/v1/auth/enrol`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify({ code, password }),
  });
  expect(enrolled.status).toBe(200);
  expect(await guest.tell(password, "login", hub.url, "-n", "vera", "--password-stdin")).toMatchObject({ code: 0 });
  expectFault(await guest.fed("restart", "api"), 6, "this needs the role operator; yours is viewer");
  expectFault(await guest.fed("user", "list"), 6, "admin");
  expect(await owner.fed("user", "role", "vera", "operator")).toMatchObject({ code: 0, out: "vera is operator\n" });
  expect(await guest.fed("restart", "api")).toMatchObject({ code: 0 });

  expectFault(await owner.fed("user", "disable", "vera"), 2, "nobody to ask");
  expect(await owner.fed("user", "disable", "vera", "--yes")).toMatchObject({ code: 0 });
  expectFault(await guest.fed("status"), 10, "fed login");
  expectFault(await guest.tell(password, "login", hub.url, "-n", "vera", "--password-stdin"), 10, "is wrong");
  expect((await owner.fed("user", "list")).out).toMatch(/^vera +operator +disabled/m);
  expect(await owner.fed("user", "enable", "vera")).toMatchObject({ code: 0, out: "vera may sign in again\n" });
  expect(await guest.tell(password, "login", hub.url, "-n", "vera", "--password-stdin")).toMatchObject({ code: 0 });

  const reset = dataOf<{ user: WireUser; link: Link }>(await owner.fed("user", "reset", "vera", "-y", "--json"));
  expect(reset).toMatchObject({
    user: { name: "vera", state: "invited" },
    link: { url: expect.stringContaining("#code=") },
  });
  expectFault(await guest.fed("status"), 10, "fed login");
  expectFault(await owner.fed("user", "disable", "ada", "--yes"), 5, "ada");
  expectFault(await owner.fed("user", "role", "ada", "viewer"), 5, "ada");
  expectFault(await owner.fed("user", "role", "nobody", "viewer"), 4, "nobody");
  expect((await owner.fed("user", "rescue", "vera")).out).toMatch(/\/welcome#code=\S{20,}\n$/);
  expect(dataOf<WireUser[]>(await owner.fed("user", "list", "--json")).map(({ name }) => name)).toEqual([
    "ada",
    "vera",
  ]);
});

test("a link has the address its maker uses, whatever the hub calls itself", async () => {
  const { stage, hub } = await makeHome();
  const url = hub.url.replace("127.0.0.1", "localhost");
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const maker = await makePerson(stage, "maker", { FED_HUB: url, FED_TOKEN: token });
  const { out, err } = await maker.fed("user", "add", "vera");
  expect(out).toMatch(new RegExp(`^${url}/welcome#code=\\S{20,}\n$`));
  expect(err).toContain(`put the hub's address there in place of ${url}.`);
});

test("the token of a killed hub is shown to nobody who has its port now, though its pid lives", async () => {
  const { stage, hub, owner } = await makeHome();
  expect(await owner.fed("status")).toMatchObject({ code: 0 });
  hub.child.kill("SIGKILL");
  await hub.ending;
  const told: IncomingHttpHeaders[] = [];
  const stranger = createServer((request, response) => {
    told.push(request.headers);
    response.end("{}");
  }).listen(Number(new URL(hub.url).port), "127.0.0.1");
  onTestFinished(() => void stranger.close());
  await once(stranger, "listening");
  const file = join(stage.data, "hub.json");
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), pid: process.pid }));
  expectFault(await owner.fed("status"), 7, "is dead");
  expect(told).toEqual([]);
});

test("tokens: shown once, good as a bearer with their role, gone when revoked", async () => {
  const { stage, hub, owner } = await makeHome();
  expect((await owner.fed("token", "list")).out).toContain("No tokens yet");
  const made = await owner.fed("token", "create", "ci", "--expires", "30d");
  expect(made.out).toMatch(/^fed_[0-9a-f]{8}_\S{20,}\n$/);
  expect(made.err).toContain("ci (viewer) ends in 30 days");
  const secret = made.out.trim();
  const ask = (path: string, init: RequestInit = {}) => fetch(`${hub.url}${path}`, { ...bearer(secret), ...init });
  expect((await ask("/api/v1/machines")).status).toBe(200);
  expect((await ask("/api/v1/services/dev/api/restart", { method: "POST" })).status).toBe(403);

  const { fed: script } = await makePerson(stage, "script", { FED_HUB: hub.url, FED_TOKEN: secret });
  expect(await script("status")).toMatchObject({ code: 0 });
  expectFault(await script("restart", "api"), 6, "operator");
  expectFault(await script("token", "create", "more"), 6, "a token makes no tokens");

  const list = await owner.fed("token", "list");
  expect(list.out).toMatch(
    new RegExp(`^tok_\\S+ +ci +${secret.slice(0, 12)} +viewer +this machine +active +\\d+ s ago`, "m"),
  );
  expect(list.out).not.toContain(secret.slice(13));
  expect(dataOf<WireToken[]>(await owner.fed("token", "list", "--json"))).toMatchObject([
    { name: "ci", state: "active" },
  ]);
  expectFault(await owner.fed("token", "revoke", "ci"), 2, "nobody to ask");
  expect(await owner.fed("token", "revoke", secret.slice(0, 12), "--yes")).toMatchObject({ code: 0 });
  expect((await ask("/api/v1/machines")).status).toBe(401);
  expectFault(await script("status"), 10, "does not take the token in FED_TOKEN");
  expectFault(await owner.fed("token", "revoke", "ci", "--yes"), 4, "there is no token ci");
  expect((await owner.fed("events", "--type", "token.")).out).toMatch(/token\.created .*\n.*token\.revoked/);
  expect((await owner.fed("events", "--json")).out).not.toContain(secret.slice(13));
});

test("events: since, and live", async () => {
  const { stage, hub, owner } = await makeHome();
  await owner.fed("user", "add", "a0");
  const live = owner.start("events", "--follow", "--type", "user.,rollout.began", "--json");
  await live.says(/user:a0/);
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  for (let n = 1; n <= 40; n++) {
    const headers = { ...bearer(token).headers, "content-type": "application/json" };
    const body = JSON.stringify({ name: `a${n}`, role: "viewer" });
    expect((await fetch(`${hub.url}/api/v1/users`, { method: "POST", headers, body })).status).toBe(200);
  }
  await owner.fed("restart", "api");
  await live.says(/rollout\.began/);
  live.child.kill("SIGINT");
  const { code, out, err } = await live.ending;
  expect({ code, err }).toEqual({ code: 130, err: "" });
  const seen = linesOf<FedEvent>(out);
  expect(seen.map(({ sequence }) => sequence)).toEqual(
    [...new Set(seen.map(({ sequence }) => sequence))].sort((a, b) => a - b),
  );
  expect(seen.filter(({ type }) => type === "user.added").map(({ subject }) => subject)).toEqual(
    Array.from({ length: 41 }, (_, n) => `user:a${n}`),
  );

  const since = linesOf<FedEvent>((await owner.fed("events", "--since", "1h", "--json")).out);
  expect(since.map(({ sequence }) => sequence)).toEqual(since.map((_, index) => index + 1));
  expect(since.length).toBeGreaterThan(60);
  expect(linesOf((await owner.fed("events", "--json")).out)).toHaveLength(50);
  const cut = await owner.fed("events", "--since", "1h", "-n", "5");
  expect(cut.out.trimEnd().split("\n")).toHaveLength(5);
  expect(cut.err).toContain("not all: these are the newest 5 since 1h; leave --limit out for all");
  expectFault(await owner.fed("events", "--since", "7"), 2, "30m, 1h, 2d");
  expectFault(await owner.fed("events", "--type", "user.aded"), 2, "user.added");
});

test("the chain of events: proven, a head that was noted too; a row that was changed is named, an unknown one is shown", async () => {
  const { stage, hub, owner } = await makeHome();
  const path = join(stage.data, "control.db");
  const { out: proof } = await owner.fed("events", "verify");
  expect(proof).toMatch(/^sound \d+ events, 1 to \d+: none .*\nbase 0 .*\nhead \d+:[0-9a-f]{64}\n$/);
  const head = /^head (.*)$/m.exec(proof)?.[1] ?? "";
  await owner.fed("user", "add", "grace");
  expect(await owner.fed("events", "verify", "--head", head)).toMatchObject({
    ...{ code: 0, out: expect.stringContaining(`\nkept event ${head.split(":")[0]} is the noted one\n`) },
  });
  const other = head.replace(/:.*/, `:${"0".repeat(64)}`);
  expect(await owner.fed("events", "verify", "--head", other)).toMatchObject({
    ...{ code: 1, out: expect.stringMatching(/^parted .*not the one that was noted/) },
  });
  expectFault(await owner.fed("events", "verify", "--head", "41"), 2, "the number, a colon");

  // Between two hubs: the end is cut off, and a newer hub has left an event of its own.
  hub.child.kill("SIGKILL");
  await hub.ending;
  const cut = Number(head.split(":")[0]) - 1;
  tamper(path, (db) => {
    db.prepare("DELETE FROM event WHERE sequence > ?").run(cut);
    const last = db.prepare("SELECT sequence, hash FROM event ORDER BY sequence DESC").get() as unknown as Head;
    const said = { atMs: Date.now(), actor: "hub", subject: "machine:here", correlation: "c" };
    const link = linkAfter(last, { ...said, type: "machine.shook", data: '{"magnitude":3.5}' });
    db.prepare("INSERT INTO event VALUES (:sequence, :atMs, :type, :actor, :subject, :correlation, :data, :hash)").run({
      ...link,
    });
  });
  await up(stage);
  expect((await owner.fed("events", "verify")).out).toMatch(/^sound/);
  expect(await owner.fed("events", "verify", "--head", head)).toMatchObject({
    ...{ code: 1, out: expect.stringMatching(/^parted /) },
  });
  expect((await owner.fed("events")).out).toMatch(/machine\.shook .* magnitude=3\.5\n(.*\n)*.*hub\.started/);
  const strange = linesOf<AnyEvent>((await owner.fed("events", "--json")).out).find(
    ({ type }) => type === "machine.shook",
  );
  expect(strange).toMatchObject({ sequence: cut + 1, subject: "machine:here", data: { magnitude: 3.5 } });

  tamper(path, (db) => void db.prepare("UPDATE event SET actor = 'somebody else' WHERE sequence = 3").run());
  expect(await owner.fed("events", "verify")).toMatchObject({
    ...{ code: 5, out: expect.stringContaining("broken at event 3:") },
  });
});

/** Somebody with the file in their hands, whom no trigger stops. */
function tamper(path: string, deed: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(path);
  try {
    for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all())
      db.exec(`DROP TRIGGER ${name}`);
    deed(db);
  } finally {
    db.close();
  }
}

test("what is followed goes on over a restart of the hub, and nothing comes twice", async () => {
  const { stage, hub, owner, guest } = await makeHome();
  expect(await owner.tell(password, "user", "add", "ada", "--password-stdin")).toMatchObject({ code: 0 });
  expect(await guest.tell(password, "login", hub.url, "-n", "ada", "--password-stdin")).toMatchObject({ code: 0 });
  await writeFile(join(dirname(stage.lab), "api/server.mjs"), ticking);
  expect(await owner.fed("restart", "api")).toMatchObject({ code: 0 });
  await until("the new output", async () =>
    (await owner.fed("logs", "api", "-n", "1")).out.includes("tick") ? true : undefined,
  );

  const logs = owner.start("logs", "api", "--follow", "--json");
  const events = guest.start("events", "--follow", "--json", "--limit", "1");
  await logs.says(/tick 20"/);
  await events.says(/sequence/);
  hub.child.kill("SIGKILL");
  await hub.ending;
  for (const one of [logs, events])
    await until("the wait", async () => (/; waiting for it …\n$/.test(one.error()) ? true : undefined));
  // For the owner on another port would do; the guest signed in at this one.
  await up(stage, "--port", new URL(hub.url).port);
  await logs.says(/tick 200"/);
  await events.says(/hub\.started/);
  for (const one of [logs, events]) one.child.kill("SIGINT");

  const [printed, happened] = [await logs.ending, await events.ending];
  expect([printed.code, happened.code]).toEqual([130, 130]);
  const ticks = linesOf<{ text: string }>(printed.out).flatMap(({ text }) => /^tick (\d+)$/.exec(text)?.[1] ?? []);
  expect(ticks.map(Number)).toEqual(ticks.map((_, index) => index + 1));
  const sequences = linesOf<FedEvent>(happened.out).map(({ sequence }) => sequence);
  expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index));
  for (const { err } of [printed, happened]) expect(err).toMatch(/^[^\n]+; waiting for it …\nconnected again\n$/);
});

/** Writes a line every 20 ms. */
const ticking = `
  import { createServer } from "node:http";
  createServer((_, response) => response.end()).listen(Number(process.env.PORT), "127.0.0.1");
  let n = 0;
  setInterval(() => process.stdout.write("tick " + ++n + "\\n"), 20);
`;
