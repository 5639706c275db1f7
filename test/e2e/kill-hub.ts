import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { isFault } from "../../packages/fed/src/base/fault.ts";
import { api } from "../../packages/fed/src/wire/api.ts";
import { type Client, makeClient } from "../../packages/fed/src/wire/client.ts";
import { type AnyEvent, type FedEvent, knownEvent } from "../../packages/fed/src/wire/event.ts";
import { type Dice, makeDice } from "./dice.ts";
import { type Found, type Ledger, rowsOf } from "./ledger.ts";
import { repository, startProgram } from "./program.ts";
import type { Stage } from "./stage.ts";

/** The whole program, written to over its API and killed. */

const words = (stage: Stage) => ["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"];

const endedBySigterm = 143;

export async function startHub(stage: Stage) {
  const program = startProgram(join(repository, "fed"), words(stage));
  const [url] = await program.says(/http:\/\/127\.0\.0\.1:\d+/);
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  return { ...program, url, token, client: makeClient({ url, token }) };
}

/**
 * One life of a hub, killed as it starts, works or closes; false when it had closed before. What the lives before have left is
 * compared with the ledger.
 */
export async function hubRound(stage: Stage, ledger: Ledger, dice: Dice, told: string): Promise<boolean> {
  const moment = dice.below(10);
  if (moment < 2) {
    const program = startProgram(join(repository, "fed"), words(stage));
    await pause(dice.below(500));
    program.child.kill("SIGKILL");
    expect((await program.ending).code, told).toBe(null);
    return true;
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
  const { code } = await hub.ending;
  expect([null, endedBySigterm], told).toContain(code);
  return code === null;
}

/** Everything the hub holds that is new to the ledger, over its API. */
export async function askHub(client: Client, ledger: Ledger): Promise<Found> {
  const [{ tokens }, { users }, verdict] = await Promise.all([
    client.call(api.tokens, {}),
    client.call(api.users, {}),
    client.call(api.verifyEvents, {}),
  ]);
  const events: FedEvent[] = [];
  for (let before: number | undefined; ; ) {
    const page = await client.call(api.events, { limit: 1000, ...(before === undefined ? {} : { before }) });
    events.push(...page.events.map(requireKnown));
    before = page.more;
    if (before === undefined || before <= ledger.checkedUpTo) break;
  }
  return { verdict, events, rows: rowsOf(tokens, users) };
}

/** It comes from the same version of fed. */
function requireKnown(event: AnyEvent): FedEvent {
  const known = knownEvent(event);
  if (known === undefined) throw new Error(`event ${event.sequence} has another shape: ${JSON.stringify(event)}`);
  return known;
}

/** The command lines in which this folder stands: also of instances whose record is gone. */
export async function processesAt(folder: string): Promise<readonly string[]> {
  const lines = (await readdir("/proc"))
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(lines)).filter((line) => line.includes(folder));
}

/** What the hub tells, as a page hears it. */
async function listen(client: Client, ledger: Ledger): Promise<void> {
  try {
    for await (const item of client.events(api.eventStream, {}))
      if (item.kind === "event") ledger.hear(requireKnown(item.event));
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
      if (await doOne(client, { tokens, users }, dice)) ledger.acknowledge(correlation);
    }
  } catch (thrown) {
    requireGone(thrown);
  }
}

/** Whether it was done. */
async function doOne(client: Client, made: { tokens: string[]; users: string[] }, dice: Dice): Promise<boolean> {
  const roll = dice.below(30);
  const [id, name] = [roll < 8 ? made.tokens.pop() : undefined, roll > 26 ? made.users.pop() : undefined];
  if (id !== undefined) await client.call(api.revokeToken, { id });
  else if (name !== undefined) await client.call(api.disableUser, { name });
  else if (roll > 22) {
    const { user } = await client.call(api.addUser, { name: `u${dice.below(2 ** 32)}`, role: "viewer" });
    made.users.push(user.name);
  } else if (roll === 22) return restart(client);
  else {
    const { token } = await client.call(api.createToken, { name: `t${dice.below(2 ** 32)}` });
    made.tokens.push(token.id);
  }
  return true;
}

/** Refused while the one before is under way. */
async function restart(client: Client): Promise<boolean> {
  try {
    await client.call(api.restart, { environment: "dev", service: "idle" });
    return true;
  } catch (thrown) {
    if (isFault(thrown) && thrown.code === "conflict") return false;
    throw thrown;
  }
}

/** Nothing else may come in the way of a deed. */
function requireGone(thrown: unknown): void {
  if (!isFault(thrown) || thrown.code !== "unreachable") throw thrown;
}
