import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type RealEngine, startDocker, startPodman, withoutEngine } from "./container.scene.ts";
import { containerSection } from "./container.ts";
import { say, shells, tellOne } from "./section.scene.ts";

const noDocker = withoutEngine("dockerd");
const noPodman = withoutEngine("podman");

/** What a reader that is new tells of the machine as it is now. */
function look(engine: RealEngine, shell?: readonly string[]) {
  const [text = ""] = say(containerSection, {
    environment: engine.environment,
    ...(shell === undefined ? {} : { shell }),
  });
  const told = tellOne(containerSection.open(), text, { machineMs: Date.now() });
  const of = (name: string) => told.containers?.find((container) => container.name === name);
  return { ...told, of };
}

describe.skipIf(noDocker !== "")(`a real Docker${noDocker}`, () => {
  let engine: RealEngine;
  beforeAll(async () => {
    engine = await startDocker();
    const words = ["run", "-d", "--network", "none", "--name"];
    engine.run(...words, "good", "-m", "64m", "bb", "sleep", "1000");
    engine.run(
      ...words,
      "sick",
      "--health-cmd",
      "false",
      "--health-interval",
      "1s",
      "--health-retries",
      "1",
      "bb",
      "sleep",
      "1000",
    );
    engine.run(...words, "looping", "--restart", "always", "bb", "false");
    engine.run(...words, "hungry", "-m", "16m", "bb", "sh", "-c", "tail /dev/zero; exec sleep 1000");
    engine.run("create", "--network", "none", "--name", "made", "bb", "true");
  }, 60_000);
  afterAll(() => engine?.close(), 60_000);

  test("tells state, health, restarts and what was ended for its memory", { timeout: 60_000 }, async () => {
    await vi.waitFor(
      () => {
        const { of, problems } = look(engine);
        expect(problems).toEqual([]);
        expect(of("good")).toMatchObject({ state: "running", engine: "docker", image: "bb", restarts: 0, oomKills: 0 });
        expect(of("good")?.memoryLimitBytes).toBe(64 * 2 ** 20);
        expect(of("good")?.memoryBytes).toBeGreaterThan(0);
        expect(Date.now() - (of("good")?.startedMs ?? 0)).toBeLessThan(60_000);
        expect(of("sick")).toMatchObject({ state: "running", health: "unhealthy" });
        expect(of("looping")?.restarts).toBeGreaterThan(1);
        expect(of("looping")?.exitCode).toBe(1);
        expect(of("hungry")).toMatchObject({ state: "running", oomKills: 1 });
        expect(of("made")).toMatchObject({ state: "created" });
      },
      { timeout: 40_000, interval: 500 },
    );
  });

  test.each(shells)("is asked in $name as in any other shell", ({ shell }) => {
    const { of, samples } = look(engine, shell);
    expect(of("good")).toMatchObject({ state: "running", image: "bb" });
    const cpu = [...samples].find(
      ([key]) => key.startsWith("container_cpu_usage_seconds_total") && key.includes('"good"'),
    );
    expect(cpu?.[1]).toBeGreaterThan(0);
  });

  test("is asked again at once when a container comes, and seldom otherwise", { timeout: 60_000 }, () => {
    const between = `[ $n = 4 ] && docker run -d --network none --name late bb sleep 1000 >/dev/null`;
    const texts = say(containerSection, { environment: engine.environment, ticks: 7, between });
    engine.run("stop", "-t", "0", "looping");
    const asked = texts.map((text) => text.includes("e docker"));
    expect(asked.slice(0, 1)).toEqual([true]);
    expect(asked.slice(4, 6)).toContain(true);
    const read = containerSection.open();
    const told = texts.map((text) => tellOne(read, text).containers?.some(({ name }) => name === "late"));
    expect(told.slice(0, 3)).toEqual([false, false, false]);
    expect(told.at(-1)).toBe(true);
  });
});

describe.skipIf(noPodman !== "")(`a real Podman${noPodman}`, () => {
  let engine: RealEngine;
  beforeAll(async () => {
    engine = await startPodman();
    engine.run("run", "-d", "--network", "none", "--name", "good", "-m", "64m", "localhost/bb", "sleep", "1000");
    engine.run("run", "-d", "--network", "none", "--name", "ended", "localhost/bb", "false");
  }, 60_000);
  afterAll(() => engine?.close(), 60_000);

  test("tells of what runs and of what has ended", { timeout: 60_000 }, async () => {
    await vi.waitFor(
      () => {
        const { of, problems } = look(engine);
        expect(problems).toEqual([]);
        expect(of("good")).toMatchObject({
          state: "running",
          engine: "podman",
          image: "localhost/bb:latest",
          restarts: 0,
        });
        expect(of("good")?.memoryLimitBytes).toBe(64 * 2 ** 20);
        expect(Date.now() - (of("good")?.startedMs ?? 0)).toBeLessThan(60_000);
        expect(of("ended")).toMatchObject({ state: "exited", exitCode: 1 });
      },
      { timeout: 20_000, interval: 500 },
    );
  });
});
