import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { flow, makeFleetScene, tickOf } from "./fleet.scene.ts";
import { facts, going, origin, server, workstation } from "./machine.scene.ts";

const gone = new Fault("unreachable", "node5 cannot be reached: connection refused");

async function makeOnline() {
  const scene = makeFleetScene();
  scene.machines.update({ machines: { node5: server() } }, origin);
  await scene.pass(5_000);
  scene.news();
  return { ...scene, node5: scene.stubOf("node5") };
}

describe("a machine that is pulled", () => {
  test("is live at once, is asked for its slower sections one by one, and then at its interval", async () => {
    const { machines, pass, news, stubOf } = makeFleetScene();
    machines.update({ machines: { node5: server() } }, origin);
    await pass(1_000);
    expect(news().map(([, type]) => type)).toEqual(["machine.added", "machine.changed"]);
    await pass(59_000);
    const { shell } = stubOf("node5");
    const asked = stubOf("node5").asked.filter((sections) => !sections.includes("disks"));
    expect(asked.slice(0, 4)).toEqual([["cpu"], ["cpu", "facts"], ["cpu", "units"], ["cpu", "updates"]]);
    // At 0, 1, 2, 3 s, then every ten.
    expect(asked).toHaveLength(4 + 5);
    expect(asked.slice(4).filter((sections) => sections.includes("units"))).toHaveLength(1);
    expect(asked.slice(4).filter((sections) => sections.includes("updates"))).toHaveLength(0);
    expect(shell.asked).toEqual([{ argv: ["sh"] }, { argv: ["sh"] }]);
    expect(shell.running).toBe(1);
    expect(machines.get("node5")).toMatchObject({ state: "online", detail: "", facts, latencyMs: 0 });
  });

  test("that goes is offline after three missed intervals, once, and back once; its series end with it", async () => {
    const { machines, node5, pass, news, samples } = await makeOnline();
    samples("node5");
    node5.shell.fail(gone);
    await pass(32_000);
    expect(machines.get("node5")).toMatchObject({ state: "online", detail: gone.message });
    expect(news()).toEqual([]);
    expect(samples("node5")).toContainEqual({ up: 0 });
    await pass(2_000);
    expect(news()).toEqual([
      ["machine:node5", "machine.changed", { from: "online", to: "offline", reason: gone.message }],
    ]);
    expect(samples("node5")).toEqual([expect.objectContaining({ up: 0, cpu_value: "end", updates_value: "end" })]);
    await pass(120_000);
    expect(news()).toEqual([]);
    expect(samples("node5").length).toBeGreaterThan(10);
    node5.shell.fail(undefined);
    await pass(11_000);
    expect(news()).toEqual([
      ["machine:node5", "machine.changed", { from: "offline", to: "online", reason: "it answers" }],
    ]);
    expect(samples("node5")).toContainEqual(expect.objectContaining({ up: 1, cpu_value: 1 }));
  });

  test("that freezes is never asked twice at a time, and asked anew by another channel; it comes back when it thaws", async () => {
    const { machines, node5, pass, news } = await makeOnline();
    const answer = node5.say;
    node5.say = () => undefined;
    const before = node5.asked.length;
    await pass(30_000);
    expect(node5.asked).toHaveLength(before + 1);
    await pass(10_000);
    expect(machines.get("node5")).toMatchObject({ state: "offline", detail: "no answer within 5 s" });
    expect(node5.shell.running).toBe(1);
    node5.say = answer;
    await pass(35_000);
    expect(news().map(([, , data]) => data)).toMatchObject([{ to: "offline" }, { to: "online" }]);
    expect(node5.shell.running).toBe(1);
  });

  test("a workstation that goes is away", async () => {
    const { machines, stubOf, pass, news } = makeFleetScene();
    machines.update({ machines: { mbp: workstation() } }, origin);
    await pass(5_000);
    news();
    stubOf("mbp").shell.fail(gone);
    await pass(60_000);
    expect(news()).toMatchObject([["machine:mbp", "machine.changed", { from: "online", to: "away" }]]);
  });

  test("counts misses by its own interval, while it is watched, too", async () => {
    const { machines, stubOf, live, pass, news } = makeFleetScene();
    machines.update({ machines: { slow: { ...server(), every: "1m" } } }, origin);
    await pass(5_000);
    news();
    const watching = new AbortController();
    void live.ticks("slow", watching.signal);
    stubOf("slow").shell.fail(gone);
    await pass(170_000);
    expect(news()).toEqual([]);
    await pass(20_000);
    expect(news()).toMatchObject([["machine:slow", "machine.changed", { to: "offline" }]]);
    watching.abort();
  });

  test("whose collector fails is degraded, says so, and is online again after three good ticks", async () => {
    const { machines, node5, pass, news } = await makeOnline();
    const answer = node5.say;
    const fails = { fails: "it may not ask Docker: add fed to the group docker" };
    node5.say = (sections) => ({
      ...(answer(sections) as object),
      ...(sections.includes("units") ? { units: fails } : {}),
    });
    await pass(40_000);
    expect(news()).toEqual([
      ["machine:node5", "machine.changed", { from: "online", to: "degraded", reason: `units: ${fails.fails}` }],
    ]);
    expect(machines.get("node5").problems).toMatchObject([{ collector: "units", reason: fails.fails }]);
    node5.say = answer;
    await pass(80_000);
    expect(news()).toMatchObject([["machine:node5", "machine.changed", { from: "degraded", to: "online" }]]);
  });

  test("that says what our program cannot say is degraded, and asked again rarer and rarer", async () => {
    const { machines, node5, pass, news, samples } = await makeOnline();
    const before = node5.shell.asked.length;
    node5.say = () => "<script>\n";
    samples("node5");
    await pass(600_000);
    expect(samples("node5")[0]).toMatchObject({ up: 0, cpu_value: "end" });
    expect(news().map(([, , data]) => data)).toEqual([
      { from: "online", to: "degraded", reason: "program: it says what our program cannot say: a wrong mark" },
    ]);
    expect(machines.get("node5").state).toBe("degraded");
    const again = node5.shell.asked.length - before;
    expect(again).toBeGreaterThan(1);
    expect(again).toBeLessThan(6);
    expect(node5.shell.running).toBe(0);
  });

  test("ticks that nobody asked for are no ticks of our program", async () => {
    const { machines, node5, pass } = await makeOnline();
    node5.say = () => `mark0 ${JSON.stringify(tickOf(999, 0, { cpu: {} }))}\n`;
    await pass(10_000);
    expect(machines.get("node5").detail).toContain("answers what it was not asked");
  });

  test("that moves is asked where it is now; what was known of the other one is not told of it", async () => {
    const { machines, opened, pass, node5, samples } = await makeOnline();
    machines.update({ machines: { node5: server("10.0.0.9") } }, origin);
    expect(machines.get("node5").state).toBe("unknown");
    await pass(3_000);
    expect(machines.get("node5").state).toBe("online");
    expect(opened).toEqual(["node5", "node5"]);
    machines.update({ machines: { node5: { ...server("10.0.0.9"), user: "ada" } } }, origin);
    await pass(3_000);
    expect(opened).toHaveLength(3);
    machines.update({ machines: { node5: { ...server("10.0.0.9"), user: "ada", every: "1m" } } }, origin);
    await flow();
    expect(opened).toHaveLength(3);
    samples("node5");
    machines.update({ machines: {} }, origin);
    await flow();
    expect(samples("node5")).toEqual([expect.objectContaining({ up: "end", cpu_value: "end" })]);
    expect(node5.shell.running).toBe(0);
  });

  test("a disk that takes no samples is no fault of the machine", async () => {
    const { machines, disk, pass, news, samples } = await makeOnline();
    disk.full = true;
    await pass(60_000);
    expect(machines.get("node5").state).toBe("online");
    expect(news()).toEqual([]);
    disk.full = false;
    samples("node5");
    await pass(10_000);
    expect(samples("node5").filter((batch) => "cpu_value" in batch)).toHaveLength(1);
  });

  test("is watched by nobody, by one, by two: asked every second for as long as somebody does", async () => {
    const { node5, live, pass } = await makeOnline();
    await pass(20_000);
    const [one, other] = [new AbortController(), new AbortController()];
    const ticks: number[] = [];
    const read = async (signal: AbortSignal) => {
      for await (const { atMs } of live.ticks("node5", signal)) ticks.push(atMs);
    };
    const reading = [read(one.signal), read(other.signal)];
    expect(live.isWatched("node5")).toBe(true);
    let before = node5.asked.length;
    await pass(10_000);
    expect(node5.asked.length - before).toBeGreaterThanOrEqual(10);
    one.abort();
    before = node5.asked.length;
    await pass(10_000);
    expect(node5.asked.length - before).toBeGreaterThanOrEqual(10);
    other.abort();
    await Promise.all(reading);
    expect(live.isWatched("node5")).toBe(false);
    await pass(1_000);
    before = node5.asked.length;
    await pass(30_000);
    expect(node5.asked.length - before).toBe(3);
    expect(ticks.length).toBeGreaterThanOrEqual(30);
  });

  test("looked at now it tells everything there is, and who asks waits until that is kept", async () => {
    const { node5, live, pass, kept } = await makeOnline();
    await pass(2_000);
    kept.splice(0);
    const looking = live.lookNow("node5", going());
    await pass(1);
    await looking;
    await flow();
    expect(node5.asked.at(-1)).toEqual(["disks"]);
    expect(node5.asked).toContainEqual(["cpu", "facts", "units", "updates"]);
    expect(kept).toHaveLength(2);
    node5.say = () => undefined;
    const vain = live.lookNow("node5", going());
    await pass(16_000);
    await vain;
    await live.lookNow("nobody", going());
  });

  test("looked at in vain it says why at once, before it is missed", async () => {
    const { machines, stubOf, live, pass, news } = makeFleetScene();
    const node5 = stubOf("node5");
    node5.shell.fail(gone);
    machines.update({ machines: { node5: server() } }, origin);
    const looking = live.lookNow("node5", going());
    await pass(1);
    await looking;
    expect(machines.get("node5")).toMatchObject({ state: "unknown", detail: gone.message });
    expect(news().map(([, type]) => type)).toEqual(["machine.added"]);
    node5.shell.fail(undefined);
    await pass(20_000);
    expect(machines.get("node5")).toMatchObject({ state: "online", detail: "" });
  });

  test("is asked aside for what takes long: it ticks on, and is not taken for gone by that", async () => {
    const { machines, stubOf, pass, news, samples, live } = makeFleetScene();
    const node5 = stubOf("node5");
    const answer = node5.say;
    node5.say = (sections) => (sections.includes("disks") ? undefined : answer(sections));
    machines.update({ machines: { node5: server() } }, origin);
    await pass(115_000);
    expect(node5.shell.running).toBe(2);
    expect(news().map(([, type]) => type)).toEqual(["machine.added", "machine.changed"]);
    await pass(20_000);
    expect(node5.shell.running).toBe(1);
    expect(news()).toMatchObject([["machine:node5", "machine.changed", { to: "degraded" }]]);
    expect(machines.get("node5").problems).toMatchObject([{ collector: "disks", reason: "did not end within 2 min" }]);
    node5.say = answer;
    const looking = live.lookNow("node5", going());
    await pass(50_000);
    await looking;
    expect(news()).toMatchObject([["machine:node5", "machine.changed", { from: "degraded", to: "online" }]]);
    expect(samples("node5")).toContainEqual({ disks_value: 1 });
  });

  test("an exporter that answers keeps it from being gone", async () => {
    const { machines, node5, live, pass, news, samples } = await makeOnline();
    node5.shell.fail(gone);
    samples("node5");
    for (let n = 0; n < 12; n++) {
      live.heardElsewhere("node5", 10_000);
      await pass(10_000);
    }
    expect(news().map(([, , data]) => data)).toEqual([
      { from: "online", to: "degraded", reason: `shell: ${gone.message}` },
    ]);
    expect(machines.get("node5").seenMs).toBeGreaterThan(0);
    // What its shell told is not as it was.
    const told = samples("node5");
    expect(told.every(({ up }) => up === 0)).toBe(true);
    expect(told.filter((one) => one.cpu_value === "end")).toHaveLength(1);
  });
});

test("a look that is wished for while a tick is under way is the next one, at once", async () => {
  const { node5, live, pass } = await makeOnline();
  const answer = node5.say;
  let looking: Promise<void> | undefined;
  node5.say = (sections) => {
    looking ??= live.lookNow("node5", going());
    return answer(sections);
  };
  const before = node5.asked.length;
  await pass(10_000);
  await looking;
  expect(node5.asked.slice(before)).toContainEqual(["cpu", "facts", "units", "updates"]);
});

describe("a machine whose exporter is asked more rarely than its shell", () => {
  test("does not come and go with the exporter's answers while its shell is lost", async () => {
    const { machines, node5, live, pass, news } = await makeOnline();
    node5.shell.fail(gone);
    for (let n = 0; n < 10; n++) {
      await pass(60_000);
      live.heardElsewhere("node5", 60_000);
    }
    expect(news().map(([, , data]) => data)).toMatchObject([
      { from: "online", to: "offline" },
      { from: "offline", to: "degraded", reason: `shell: ${gone.message}` },
    ]);
    await pass(120_000);
    expect(machines.get("node5").state).toBe("offline");
  });

  test("is gone in time when the exporter had answered just before", async () => {
    const { node5, live, pass, news } = await makeOnline();
    live.heardElsewhere("node5", 60_000);
    node5.shell.fail(gone);
    await pass(50_000);
    expect(news().at(-1)?.[2]).toMatchObject({ to: "offline" });
  });
});

describe("a machine that reports by itself", () => {
  const enrol = async () => {
    const scene = makeFleetScene();
    const { machines, events } = scene;
    const change = machines.prepareJoin("far", { kind: "server", address: "203.0.113.7" }, origin);
    events.deed(origin, change.record);
    change.take();
    return scene;
  };

  test("is missed when it reports no more; what it kept meanwhile is told with its own times", async () => {
    const { machines, live, pass, news, clock, kept, opened, samples } = await enrol();
    expect(news().map(([, type]) => type)).toEqual(["machine.added", "machine.enrolled"]);
    expect(machines.get("far")).toMatchObject({ mode: "push", origin: "added", address: "203.0.113.7" });
    const take = (sequence: number, agoMs: number) =>
      live.intake.take(
        "far",
        tickOf(sequence, clock.nowMs() - agoMs, { cpu: { samples: { cpu_value: sequence } } }),
        clock.nowMs(),
      );
    for (let n = 1; n <= 6; n++) {
      await take(n, 20);
      await pass(10_000);
    }
    expect(news()).toMatchObject([["machine:far", "machine.changed", { to: "online" }]]);
    samples("far");
    await pass(120_000);
    expect(news()).toMatchObject([["machine:far", "machine.changed", { from: "online", to: "offline" }]]);
    expect(samples("far")).toContainEqual(expect.objectContaining({ up: 0, cpu_value: "end" }));
    await take(7, 110_000);
    await take(8, 3_600_000);
    const [late, old] = kept.splice(0);
    expect(late).toMatchObject({ age: "new" });
    expect(late?.batch.times[0]).toBe(clock.nowMs() - 110_000);
    expect(samplesUp(late?.batch.labels ?? [])).toBe(false);
    expect(old).toMatchObject({ age: "old" });
    expect(news()).toMatchObject([["machine:far", "machine.changed", { from: "offline", to: "online" }]]);
    expect(opened).toEqual([]);
  });
});

const samplesUp = (labels: readonly (readonly string[])[]) => labels.some((one) => one.includes("up"));

test("many machines are not asked all at once, and none keeps another from its turn", async () => {
  const { machines, pass, stubOf, clock, opened } = makeFleetScene();
  const names = Array.from({ length: 100 }, (_, n) => `n${n}`);
  for (const name of names.slice(0, 10)) stubOf(name).shell.fail(gone);
  machines.update({ machines: Object.fromEntries(names.map((name) => [name, server()])) }, origin);
  expect(opened).toHaveLength(100);
  await pass(1_000);
  const soon = names.filter((name) => stubOf(name).asked.length > 0).length;
  expect(soon).toBeLessThan(20);
  await pass(60_000);
  expect(machines.list().filter(({ state }) => state === "online")).toHaveLength(90);
  expect(machines.list().filter(({ state }) => state === "offline")).toHaveLength(10);
  expect(clock.waiting).toBeLessThanOrEqual(100);
});

test("when the hub ends nothing runs on any machine, and no timer waits", async () => {
  const { node5, live, clock, pass } = await makeOnline();
  expect(node5.shell.running).toBe(1);
  await live.close();
  await flow();
  expect(node5.shell.running).toBe(0);
  expect(clock.waiting).toBe(0);
  const before = node5.asked.length;
  await pass(30_000);
  expect(node5.asked.length).toBe(before);
});
