import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock as clock } from "../../packages/fed/src/base/clock.ts";
import { isFault } from "../../packages/fed/src/base/fault.ts";
import { silentTrace as trace } from "../../packages/fed/src/base/trace.ts";
import { migrations, openControl } from "../../packages/fed/src/hub/db/db.ts";
import { openEventLog } from "../../packages/fed/src/hub/event/verbs.ts";
import { wireUser } from "../../packages/fed/src/hub/user/user.ts";
import { openUsers } from "../../packages/fed/src/hub/user/verbs.ts";
import { api } from "../../packages/fed/src/wire/api.ts";
import { type Client, makeClient } from "../../packages/fed/src/wire/client.ts";
import type { FedEvent } from "../../packages/fed/src/wire/event.ts";
import { type Dice, makeDice } from "./dice.ts";
import type { Said } from "./kill-writer.ts";
import { type Found, type Ledger, openLedger } from "./ledger.ts";
import { repository, runFed, startProgram } from "./program.ts";
import { leftBehind, makeStage, type Stage } from "./stage.ts";

/**
 * The hub is killed (kill -9) 200 times at moments left to chance: whatever it has told or acknowledged is there afterwards, its
 * rows say what its events say, the chain is sound, and it starts.
 */
const rounds = { hub: 130, verbs: 50, migration: 20 };
/** So many at a time, each on a folder of its own. */
const lines = 2;

/** What chance is made of; `FED_KILL_SEED=… ./fed test kill` takes the same again. */
const seed = Number(process.env.FED_KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** The dice of one line of rounds, and what to say of a round that went wrong. */
function castFor(line: string, salt: number) {
  return { dice: makeDice(seed + salt), told: (round: number) => `${line}, round ${round} (FED_KILL_SEED=${seed})` };
}

async function inLines(line: (line: number, count: number) => Promise<void>, count: number): Promise<void> {
  await Promise.all(Array.from({ length: lines }, (_, at) => line(at, count / lines)));
}

test("200 rounds are done", () => {
  expect(rounds.hub + rounds.verbs + rounds.migration).toBe(200);
});

// ---- the whole program, written to over its API

const lab = `import { defineLab, process, server } from "@fed/lab";
export default defineLab({
  name: "kill",
  machines: { here: server({ address: "local" }) },
  environments: { dev: { machines: ["here"] } },
  services: { idle: { run: process("sleep 100000") } },
});
`;

test(`${rounds.hub} rounds of fed up, killed as it starts, works and closes`, async () => {
  await inLines(hubLine, rounds.hub);
}, 180_000);

async function hubLine(line: number, count: number): Promise<void> {
  const { dice, told } = castFor(`hub ${line}`, line);
  const stage = await makeStage();
  await stage.edit(() => lab);
  const ledger = openLedger();
  for (let round = 1; round <= count; round++) await hubRound(stage, ledger, dice, told(round));
  const last = await startHub(stage);
  expect(ledger.compare(await askHub(last.client, ledger)), told(count)).toEqual([]);
  expect(ledger.acknowledged).toBeGreaterThan(count);
  expect((await runFed(["events", "verify", "--data", stage.data])).out).toMatch(/^sound /);
  expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
  await last.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
}

const words = (stage: Stage) => ["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"];

async function startHub(stage: Stage) {
  const program = startProgram(join(repository, "fed"), words(stage));
  const [url] = await program.says(/http:\/\/127\.0\.0\.1:\d+/);
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  return { ...program, url, token, client: makeClient({ url, token }) };
}

async function hubRound(stage: Stage, ledger: Ledger, dice: Dice, told: string): Promise<void> {
  const moment = dice.below(10);
  if (moment < 2) {
    const program = startProgram(join(repository, "fed"), words(stage));
    await pause(dice.below(500));
    program.child.kill("SIGKILL");
    expect((await program.ending).code, told).toBe(null);
    return;
  }
  const hub = await startHub(stage);
  expect(ledger.compare(await askHub(hub.client, ledger)), told).toEqual([]);
  const writing = [
    listen(hub.client, ledger),
    ...[1, 2, 3].map(() => write(hub, ledger, makeDice(dice.below(2 ** 31)))),
  ];
  await pause(dice.below(300));
  if (moment > 7) {
    hub.child.kill("SIGTERM");
    await pause(dice.below(100));
  }
  hub.child.kill("SIGKILL");
  await Promise.all(writing);
  await hub.ending;
}

/** Everything the hub holds that is new to the ledger, over its API. */
async function askHub(client: Client, ledger: Ledger): Promise<Found> {
  const [{ tokens }, { users }, verdict] = await Promise.all([
    client.call(api.tokens, {}),
    client.call(api.users, {}),
    client.call(api.verifyEvents, {}),
  ]);
  const events: FedEvent[] = [];
  for (let before: number | undefined; ; ) {
    const page = await client.call(api.events, { limit: 1000, ...(before === undefined ? {} : { before }) });
    events.push(...page.events);
    before = page.more;
    if (before === undefined || before <= ledger.checkedUpTo) break;
  }
  return { verdict, events, rows: rowsOf(tokens, users) };
}

type States = readonly { readonly id: string; readonly name: string; readonly state: string }[];

function rowsOf(tokens: States, users: States): Map<string, string> {
  return new Map([
    ...tokens.map(({ id, state }) => [`token:${id}`, state] as const),
    ...users.map(({ name, state }) => [`user:${name}`, state] as const),
  ]);
}

/** What the hub tells, as a page hears it. */
async function listen(client: Client, ledger: Ledger): Promise<void> {
  try {
    for await (const item of client.events(api.eventStream, {})) if (item.kind === "event") ledger.hear(item.event);
  } catch (thrown) {
    requireGone(thrown);
  }
}

/** Deeds, one after the other, until nobody answers any more. */
async function write(hub: { url: string; token: string }, ledger: Ledger, dice: Dice): Promise<void> {
  let correlation = "";
  const client = makeClient({
    ...hub,
    async fetch(...args) {
      const response = await fetch(...args);
      correlation = response.headers.get("x-request-id") ?? "";
      return response;
    },
  });
  const tokens: string[] = [];
  const users: string[] = [];
  try {
    for (;;) {
      await doOne(client, { tokens, users }, dice);
      ledger.acknowledge(correlation);
    }
  } catch (thrown) {
    requireGone(thrown);
  }
}

async function doOne(client: Client, made: { tokens: string[]; users: string[] }, dice: Dice): Promise<void> {
  const roll = dice.below(30);
  const [id, name] = [roll < 8 ? made.tokens.pop() : undefined, roll > 26 ? made.users.pop() : undefined];
  if (id !== undefined) await client.call(api.revokeToken, { id });
  else if (name !== undefined) await client.call(api.disableUser, { name });
  else if (roll > 22) {
    const { user } = await client.call(api.addUser, { name: `u${dice.below(2 ** 32)}`, role: "viewer" });
    made.users.push(user.name);
  } else if (roll === 22) await client.call(api.restart, { environment: "dev", service: "idle" });
  else {
    const { token } = await client.call(api.createToken, { name: `t${dice.below(2 ** 32)}` });
    made.tokens.push(token.id);
  }
}

/** Nothing else may come in the way of a deed. */
function requireGone(thrown: unknown): void {
  if (!isFault(thrown) || thrown.code !== "unreachable") throw thrown;
}

// ---- the hub's own verbs, without anything around them: many more kills for the time

test(`${rounds.verbs} rounds of the verbs, killed at a deed, a cut of the log, an opening, a closing`, async () => {
  await inLines(verbsLine, rounds.verbs);
}, 180_000);

async function verbsLine(line: number, count: number): Promise<void> {
  const { dice, told } = castFor(`verbs ${line}`, 100 + line);
  const folder = await makeFolder();
  const ledger = openLedger();
  for (let round = 1; round <= count; round++) {
    hearAll(ledger, await writeUntilKilled(folder, dice, 300));
    expect(ledger.compare(await openCopy(folder)), told(round)).toEqual([]);
  }
  expect(ledger.acknowledged).toBeGreaterThan(count * 10);
}

test(`${rounds.migration} rounds of a database of the first release, killed as it is opened and migrated`, async () => {
  await inLines(migrationLine, rounds.migration);
}, 180_000);

async function migrationLine(line: number, count: number): Promise<void> {
  const { dice, told } = castFor(`migration ${line}`, 200 + line);
  const before = await makeFolder();
  const events = 3_000;
  fillFirstRelease(before, events);
  for (let round = 1; round <= count; round++) {
    const folder = await makeFolder();
    await cp(before, folder, { recursive: true });
    const ledger = openLedger();
    hearAll(ledger, await writeUntilKilled(folder, dice, 150));
    const found = await openCopy(folder);
    expect(ledger.compare(found), told(round)).toEqual([]);
    // The writer cuts the log, when it comes to that.
    const whole = found.verdict.kind === "sound" && found.verdict.first === 1;
    expect(found.events.length, told(round)).toBeGreaterThanOrEqual(whole ? events : 1);
  }
}

function hearAll(ledger: Ledger, all: readonly Said[]): void {
  for (const said of all) {
    if ("event" in said) ledger.hear(said.event);
    else ledger.acknowledge(said.done);
  }
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed-kill-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function fillFirstRelease(folder: string, count: number): void {
  const db = openControl(folder, { migrations: migrations.slice(0, 1) });
  db.tx((tx) => {
    for (let n = 1; n <= count; n++) {
      tx.run(
        `INSERT INTO event (sequence, at_ms, actor, subject, correlation, data)
         VALUES (:n, :n, 'hub', 'service:dev/api', 'cor', '{"type":"instance.stopped","instance":"ins_1"}')`,
        { n },
      );
    }
  });
  db.close();
}

async function writeUntilKilled(folder: string, dice: Dice, longestMs: number): Promise<readonly Said[]> {
  const writer = join(import.meta.dirname, "kill-writer.ts");
  const env = { NODE_COMPILE_CACHE: join(repository, ".cache/compile") };
  const program = startProgram(process.execPath, [writer, folder, String(dice.below(2 ** 31))], { env });
  await program.says(/^begin\n/);
  await pause(dice.below(longestMs));
  program.child.kill("SIGKILL");
  const { code, out, err } = await program.ending;
  if (code !== null) throw new Error(`the writer ended with ${code}: ${err}`);
  // The last one may be half a line.
  return out
    .split("\n")
    .slice(1, -1)
    .map((line): Said => JSON.parse(line));
}

/** What the next hub would find: opened on a copy, so that the log of the killed one stays for the next to find. */
async function openCopy(folder: string): Promise<Found> {
  const copy = join(await makeFolder(), "copy");
  await mkdir(copy);
  for (const name of ["control.db", "control.db-wal", "control.db-journal"])
    await cp(join(folder, name), join(copy, name)).catch(() => undefined);
  const db = openControl(copy);
  try {
    const events = openEventLog({ db, clock, trace });
    const keys = { signingKey: new Uint8Array(32), localToken: "0".repeat(43) };
    const users = openUsers({ db, events, clock, trace, ...keys });
    const verdict = await events.verify();
    const machines = db
      .prepare("SELECT name, state FROM machine", ({ name, state }) => [`machine:${name}`, String(state)] as const)
      .all();
    const rows = rowsOf(users.tokens.list({ kind: "local" }), users.list().map(wireUser));
    return {
      verdict,
      events: events.list({ types: [], subject: undefined, before: undefined, sinceMs: undefined, limit: 1e6 }),
      rows: new Map([...rows, ...machines]),
    };
  } finally {
    db.close();
  }
}
