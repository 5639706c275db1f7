import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { silentTrace } from "#base/trace.ts";
import { openTestControl } from "./db/control.fake.ts";
import { type Desk, type DeskOptions, type FirstLab, openDesk } from "./desk.ts";
import { openEventLog } from "./event/verbs.ts";
import { loadLab, rejectedBy } from "./lab/load.ts";
import { formerLocations } from "./lab/locate.ts";
import type { Part } from "./lab/verbs.ts";
import { openMachines } from "./machine/verbs.ts";
import { recallLab } from "./recall.ts";

const never = new AbortController().signal;
const nothing = async () => {};
const origin = { actor: "user:ada", correlation: "cor_test" };

const labText = (name: string, machine = "here") => `
import { defineLab, server } from "@fed/lab";
export default defineLab({
  name: "${name}", machines: { ${machine}: server({ address: "local" }) },
  environments: { dev: { machines: ["${machine}"] } }, services: {},
});
`;

function makeStage() {
  const control = openTestControl();
  const folder = mkdtempSync(join(tmpdir(), "fed-desk-"));
  const file = join(folder, "lab.ts");
  const events = openEventLog({ db: control.db, clock: systemClock, trace: silentTrace });
  const machines = openMachines({ db: control.db, events, clock: systemClock, servicesOn: () => [], onChange() {} });
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
    control[Symbol.dispose]();
  });
  const write = (text: string) => writeFileSync(file, text);
  write(labText("one"));
  const load = async () => {
    const loaded = await loadLab(file, { clock: systemClock });
    if (loaded.kind === "rejected") throw new Error(JSON.stringify(loaded.diagnostics));
    return loaded;
  };
  const open = (first: FirstLab, more: Partial<DeskOptions> = {}): Desk => {
    const desk = openDesk({
      ...{ first, watch: false, events, clock: systemClock, trace: silentTrace },
      makeCorrelation: () => "cor_desk",
      partsOf: (lab) => [machines.prepare(lab.document)],
      onChange() {},
      ...more,
    });
    onTestFinished(() => desk.close());
    return desk;
  };
  const names = () =>
    events
      .list({ types: ["lab.accepted"], subject: undefined, before: undefined, sinceMs: undefined, limit: 100 })
      .flatMap((event) => (event.type === "lab.accepted" ? [event.data.name] : []))
      .reverse();
  const labRows = () => control.db.prepare("SELECT name FROM lab ORDER BY sequence", ({ name }) => name).all();
  return { ...{ control, file, write, load, open, names, labRows, machines, events } };
}

const patience = { timeout: 10_000, interval: 10 };

test("a lab that cannot be recorded with all it means is recorded not at all, and taken at the next look", async () => {
  const { write, load, open, labRows, names, machines } = makeStage();
  let full = false;
  const taken: string[] = [];
  const partsOf: DeskOptions["partsOf"] = (lab): readonly Part[] => [
    machines.prepare(lab.document),
    {
      record() {
        if (full) throw new Fault("unreachable", "the disk is full");
      },
      take: () => void taken.push(lab.document.name),
    },
  ];
  const desk = open({ loaded: await load() }, { partsOf });
  write(labText("two", "there"));
  full = true;
  await expect(desk.take(origin, nothing, never)).rejects.toMatchObject({ code: "unreachable" });
  desk.look();
  // Its turn is over when that of another one is.
  await expect(desk.take(origin, nothing, never)).rejects.toMatchObject({ code: "unreachable" });
  expect(desk.lab.document.name).toBe("one");
  expect([labRows(), names(), taken]).toEqual([["one"], ["one"], ["one"]]);
  expect(machines.names()).toEqual(["here"]);
  full = false;
  desk.look();
  await vi.waitFor(() => expect(taken).toEqual(["one", "two"]), patience);
  expect([labRows(), names(), machines.names()]).toEqual([["one", "two"], ["one", "two"], ["there"]]);
});

test("an older file never comes after a newer one, whoever asks for it to be taken", async () => {
  const { write, load, open, names } = makeStage();
  const desk = open({ loaded: await load() });
  write(labText("older"));
  const [read, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const check = () => {
    read.resolve();
    return gate.promise;
  };
  const applied = desk.take(origin, check, never);
  await read.promise;
  write(labText("newer"));
  desk.look();
  // Long enough for the look, if it did not wait for its turn.
  for (let n = 0; n < 3; n++) await desk.load(never);
  expect(names()).toEqual(["one"]);
  gate.resolve();
  await applied;
  await vi.waitFor(() => expect(desk.lab.document.name).toBe("newer"), patience);
  expect(names()).toEqual(["one", "older", "newer"]);
});

test("who refuses a lab keeps it from being the wish, and who has gone holds up nobody", async () => {
  const { write, load, open } = makeStage();
  const desk = open({ loaded: await load() });
  write(labText("two"));
  const moved = new Fault("conflict", "it has changed");
  await expect(desk.take(origin, () => Promise.reject(moved), never)).rejects.toBe(moved);
  const left = new AbortController();
  const gone = desk.take(origin, nothing, left.signal);
  left.abort(moved);
  await expect(gone).rejects.toBe(moved);
  expect(desk.lab.document.name).toBe("one");
  expect(await desk.take(origin, nothing, never)).toMatchObject({ kind: "loaded" });
  expect(desk.lab.document.name).toBe("two");
});

test("an edit saved while the hub started is taken", async () => {
  const { write, load, open } = makeStage();
  const begunMs = Date.now();
  const loaded = await load();
  write(labText("meanwhile"));
  const desk = open({ loaded, begunMs }, { watch: true });
  await vi.waitFor(() => expect(desk.lab.document.name).toBe("meanwhile"), patience);
});

test("files that were written long before the start are not read again", async () => {
  const { write, load, open } = makeStage();
  const loaded = await load();
  write(labText("other"));
  const desk = open({ loaded, begunMs: Date.now() + 60_000 }, { watch: true });
  const read = await desk.load(never);
  await desk.close();
  expect(read).toMatchObject({ document: { name: "other" } });
  expect(desk.lab.document.name).toBe("one");
});

test("however many ask for the file at once, it is read twice at most: for those before the reading, and after", async () => {
  const { write, load, open, file } = makeStage();
  const desk = open({ loaded: await load() });
  write(labText("two"));
  const answers = await Promise.all(Array.from({ length: 40 }, () => desk.load(never)));
  expect(new Set(answers).size).toBe(1);
  const before = desk.load(never);
  await new Promise((resolve) => setImmediate(resolve));
  write(readFileSync(file, "utf8").replace("two", "three"));
  const after = await Promise.all([desk.load(never), desk.load(never)]);
  expect(after[0]).toBe(after[1]);
  expect(after[0]).not.toBe(await before);
  expect(after[0]).toMatchObject({ document: { name: "three" } });
});

test("a start with a bad file goes on with the newest lab that was accepted of it", async () => {
  const { control, file, write, load, open, labRows, machines, events } = makeStage();
  const dataFolder = control.folder;
  const bad = 'import { defineLab } from "@fed/lab";\nexport default defineLab({ name: 7 });\n';
  write(bad);
  const rejected = await loadLab(file, { clock: systemClock });
  if (rejected.kind !== "rejected") throw new Error("it is bad");
  expect(recallLab(join(dataFolder, "empty"), rejected)).toBeUndefined();
  expect(recallLab(dataFolder, rejected)).toBeUndefined();
  write(labText("good"));
  await open({ loaded: await load() }).close();
  write(bad);
  const first = recallLab(dataFolder, rejected);
  if (first === undefined) throw new Error("there is one");
  const desk = open(first, { watch: true });
  expect(desk.lab.document.name).toBe("good");
  expect(desk.rejected?.diagnostics).toEqual(rejected.diagnostics);
  expect(machines.names()).toEqual(["here"]);
  expect(labRows()).toEqual(["good"]);
  write(labText("mended"));
  await vi.waitFor(() => expect(desk.lab.document.name).toBe("mended"), patience);
  expect(desk.rejected).toBeUndefined();
  const told = {
    types: ["lab.rejected" as const],
    subject: undefined,
    before: undefined,
    sinceMs: undefined,
    limit: 9,
  };
  expect(events.list(told)).toHaveLength(1);
  await desk.close();
  rmSync(file);
  const gone = formerLocations(file).map((place) => rejectedBy(new Fault("missing", "gone"), place.file, place.folder));
  expect(gone.map((one) => recallLab(dataFolder, one)?.loaded.document.name)).toEqual(["mended", undefined]);
});
