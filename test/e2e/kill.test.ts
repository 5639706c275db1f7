import { cp } from "node:fs/promises";
import { expect, test } from "vitest";
import { makeDice } from "./dice.ts";
import { askHub, hubRound, processesAt, startHub } from "./kill-hub.ts";
import { fillFirstRelease, makeFolder, openCopy, writeUntilKilled } from "./kill-verbs.ts";
import type { Said } from "./kill-writer.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { runFed } from "./program.ts";
import { leftBehind, makeStage } from "./stage.ts";

/**
 * The hub is killed (kill -9) again and again, its verbs and its migrations some times more, at moments left to chance: whatever
 * it has told or acknowledged is there afterwards, its rows say what its events say, the chain is sound, and it starts.
 * `FED_PROOF=1` kills the hub 200 times; each run of CI takes other moments, so that what few rounds miss the next ones find.
 */
const rounds =
  process.env.FED_PROOF === "1" ? { hub: 200, verbs: 50, migration: 20 } : { hub: 36, verbs: 12, migration: 6 };
/** So many at a time, each on a folder of its own. */
const lines = 2;

/** What chance is made of; `FED_KILL_SEED=… ./fed test kill` takes the same again. */
const seed = Number(process.env.FED_KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** The dice of one line of rounds, and what to say of a round that went wrong. */
function castFor(line: string, salt: number) {
  return { dice: makeDice(seed + salt), told: (round: number) => `${line}, round ${round}` };
}

/** Some rounds, one after the other. When the signal aborts another line has failed, and it is over. */
type Line = (at: number, count: number, signal: AbortSignal) => Promise<void>;

async function inLines(line: Line, count: number): Promise<void> {
  const failed = new AbortController();
  const running = Array.from({ length: lines }, (_, at) =>
    line(at, count / lines, failed.signal).catch((thrown) => failed.abort(thrown)),
  );
  await Promise.all(running);
  if (failed.signal.aborted) throw new Error(`with FED_KILL_SEED=${seed}`, { cause: failed.signal.reason });
}

const lab = `import { defineLab, process, server } from "@fed/lab";
export default defineLab({
  name: "kill",
  machines: { here: server({ address: "local" }) },
  environments: { dev: { machines: ["here"] } },
  services: { idle: { run: process("sleep 100000"), settle: "0s" } },
});
`;

test(`${rounds.hub} rounds of fed up, killed as it starts, works and closes`, async () => {
  await inLines(hubLine, rounds.hub);
}, 600_000);

async function hubLine(line: number, count: number, signal: AbortSignal): Promise<void> {
  const { dice, told } = castFor(`hub ${line}`, line);
  const stage = await makeStage();
  await stage.edit(() => lab);
  const ledger = openLedger();
  for (let killed = 0; killed < count; ) {
    signal.throwIfAborted();
    if (await hubRound(stage, ledger, dice, told(killed + 1))) killed++;
  }
  const last = await startHub(stage);
  expect(ledger.compare(await askHub(last.client, ledger)), told(count)).toEqual([]);
  expect(ledger.acknowledged).toBeGreaterThan(count);
  expect((await runFed(["events", "verify", "--data", stage.data])).out).toMatch(/^sound /);
  expect(await processesAt(stage.data)).not.toEqual([]);
  expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
  await last.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
  expect(await processesAt(stage.data)).toEqual([]);
}

test(`${rounds.verbs} rounds of the verbs, killed at a deed, a cut of the log, an opening, a closing`, async () => {
  await inLines(verbsLine, rounds.verbs);
}, 180_000);

async function verbsLine(line: number, count: number, signal: AbortSignal): Promise<void> {
  const { dice, told } = castFor(`verbs ${line}`, 100 + line);
  const folder = await makeFolder();
  const ledger = openLedger();
  for (let round = 1; round <= count; round++) {
    signal.throwIfAborted();
    hearAll(ledger, await writeUntilKilled(folder, dice, 300));
    expect(ledger.compare(await openCopy(folder)), told(round)).toEqual([]);
  }
  expect(ledger.acknowledged).toBeGreaterThan(count * 2);
}

test(`${rounds.migration} rounds of a database of the first release, killed as it is opened and migrated`, async () => {
  await inLines(migrationLine, rounds.migration);
}, 180_000);

async function migrationLine(line: number, count: number, signal: AbortSignal): Promise<void> {
  const { dice, told } = castFor(`migration ${line}`, 200 + line);
  const before = await makeFolder();
  const events = 3_000;
  fillFirstRelease(before, events);
  for (let round = 1; round <= count; round++) {
    signal.throwIfAborted();
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
