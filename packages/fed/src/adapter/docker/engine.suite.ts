/** What both real engines are held to. */
import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { duplexPair, pipeline } from "node:stream";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "#port/engine.scene.ts";
import { going, labels, nextEvent, read, untilPrinted } from "#port/runtime.scene.ts";
import { runtimeSuite } from "#port/runtime.suite.ts";
import { containerSuite } from "#port/runtime-container.suite.ts";
import type { EngineSocket } from "./dial.ts";
import { behaving, clear, openEngine } from "./engine.scene.ts";
import { toEngineLabels } from "./label.ts";

/** Where Debian and others keep the parts of Podman. */
const podmanParts = ["/usr/lib/podman", "/usr/libexec/podman"];

export function engineSuite(kind: EngineKind): void {
  const missing = withoutEngine(kind);
  describe.skipIf(missing !== "")(`a real ${kind}${missing}`, { timeout: 60_000 }, () => {
    const given = {} as { engine: Engine };
    beforeAll(async () => {
      given.engine = await startEngine(kind);
    }, 60_000);
    afterAll(() => given.engine?.close(), 60_000);
    runsContract(kind, given);
    containerContract(kind, given);
    leftContract(kind, given);
    shellessContract(kind, given);
    awayContract(kind, given);
  });
}

function runsContract(kind: EngineKind, given: { readonly engine: Engine }): void {
  runtimeSuite(kind, async () => {
    const { engine } = given;
    const socket = { kind: "unix", path: engine.socket } as const;
    let runtime = openEngine(kind, socket);
    return {
      runtime,
      async reopen() {
        await runtime.close();
        runtime = openEngine(kind, socket);
        return runtime;
      },
      workload: (behaviour) => behaving(engine, behaviour),
      container: { port: 80, mounts: [], hosts: {} },
      async close() {
        await runtime.close();
        clear(engine);
      },
    };
  });
}

function containerContract(kind: EngineKind, given: { readonly engine: Engine }): void {
  containerSuite(kind, async () => {
    const { engine } = given;
    const runtime = openEngine(kind, { kind: "unix", path: engine.socket });
    return {
      runtime,
      image: (script, changes) => engine.image(["sh", "-c", script], changes),
      names: kind === "docker" || podmanParts.some((folder) => existsSync(`${folder}/aardvark-dns`)),
      tellsMemory: kind === "docker",
      tell(id) {
        const label = id === "" ? "fed.id" : `fed.id=${id}`;
        const ids = engine.run("ps", "-aq", "--filter", `label=${label}`).split("\n").filter(Boolean);
        return ids.length === 0 ? "" : engine.run("inspect", ...ids);
      },
      makeVolume: (name) => engine.run("volume", "create", name),
      volumes: () => engine.run("volume", "ls", "-q").split("\n"),
      async close() {
        await runtime.close();
        clear(engine);
      },
    };
  });
}

/** What a killed hub and other people leave in an engine. */
function leftContract(kind: EngineKind, given: { readonly engine: Engine }): void {
  test("finds what was made and never started as ended, and sees nothing of others", async () => {
    const { engine } = given;
    const runtime = openEngine(kind, { kind: "unix", path: engine.socket });
    onTestFinished(async () => {
      await runtime.close();
      clear(engine);
    });
    const image = engine.image(["true"]);
    const told = toEngineLabels("ins_half", labels, 80);
    const words = Object.entries(told).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
    engine.run("create", "--network", "none", ...words, image);
    const stranger = engine.run("create", "--network", "none", "--label", "fed.id=ins_strange", image);
    const [half, ...others] = await runtime.list(going());
    expect(others).toEqual([]);
    expect(half).toMatchObject({ id: "ins_half", labels, state: "exited", exit: { atMs: expect.any(Number) } });
    expect(half?.exit).not.toHaveProperty("code");
    await runtime.stop("ins_half", 0, going());
    await runtime.remove("ins_half", going());
    await runtime.remove("ins_strange", going());
    expect(await runtime.list(going())).toEqual([]);
    expect(engine.run("inspect", stranger)).toContain("ins_strange");
  });

  test("tells a follower each line once, also when the output goes on in another file", async () => {
    const { engine } = given;
    const runtime = openEngine(kind, { kind: "unix", path: engine.socket });
    onTestFinished(async () => {
      await runtime.close();
      clear(engine);
    });
    const count = 12_000;
    const script = `BEGIN { s = sprintf("%1000s", "x"); for (i = 1; i <= ${count}; i++) print i, s }`;
    const workload = { kind: "image", reference: engine.image(["busybox", "awk", script]) } as const;
    const spec = { id: "ins_loud", labels, environment: {}, limits: {}, workload };
    await runtime.start({ ...spec, container: { mounts: [], hosts: {} } }, going());
    let seen = 0;
    for await (const { text } of runtime.logs("ins_loud", { follow: true }, going())) {
      if (Number.parseInt(text, 10) !== seen + 1) throw new Error(`after line ${seen} came ${text.slice(0, 80)}`);
      seen++;
    }
    expect(seen).toBe(count);
  });

  test("makes one network, though several ask at once and one gives up", async () => {
    const { engine } = given;
    const runtimes = [0, 1].map(() => openEngine(kind, { kind: "unix", path: engine.socket }));
    onTestFinished(async () => {
      for (const runtime of runtimes) await runtime.close();
      clear(engine);
      engine.run("network", "prune", "-f");
    });
    const controller = new AbortController();
    const ask = (signal: AbortSignal) => runtimes.map((runtime) => runtime.hostAddress("crowd", "dev", signal));
    const asked = [...ask(controller.signal), ...ask(going())];
    controller.abort("enough");
    asked.push(...ask(going()));
    const settled = await Promise.allSettled(asked);
    const addresses = new Set(settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
    expect(addresses.size).toBe(1);
    expect(
      engine
        .run("network", "ls", "--format", "{{.Name}}")
        .split("\n")
        .filter((name) => name === "fed-crowd-dev"),
    ).toEqual(["fed-crowd-dev"]);
  });

  test("removes the network with the last that was in it, and no volume", async () => {
    const { engine } = given;
    const runtime = openEngine(kind, { kind: "unix", path: engine.socket });
    onTestFinished(() => runtime.close());
    const mounts = [{ kind: "volume", name: "fed-kept", target: "/data", readOnly: false }] as const;
    for (const id of ["ins_one", "ins_two"])
      await runtime.start(
        {
          ...{ id, labels, environment: {}, limits: {}, workload: behaving(engine, {}) },
          container: { mounts, hosts: {} },
        },
        going(),
      );
    const networks = () => engine.run("network", "ls", "--format", "{{.Name}}").split("\n");
    for (const id of ["ins_one", "ins_two"]) {
      expect(networks()).toContain("fed-ocean-dev");
      await runtime.stop(id, 5_000, going());
      await runtime.remove(id, going());
    }
    expect(networks()).not.toContain("fed-ocean-dev");
    expect(engine.run("volume", "ls", "-q").split("\n")).toContain("fed-kept");
  });
}

function shellessContract(kind: EngineKind, given: { readonly engine: Engine }): void {
  test("ends a command that takes too long where the image has no shell, too", async () => {
    const { engine } = given;
    const runtime = openEngine(kind, { kind: "unix", path: engine.socket });
    onTestFinished(async () => {
      await runtime.close();
      clear(engine);
    });
    const reference = engine.image(["sleep", "1300"], ['RUN ["busybox", "rm", "/bin/sh"]']);
    const spec = {
      id: "ins_shelless",
      labels,
      environment: {},
      limits: {},
      workload: { kind: "image", reference },
    } as const;
    const { id } = await runtime.start({ ...spec, container: { mounts: [], hosts: {} } }, going());
    expect(await runtime.run(id, ["sleep", "1301"], 500, going())).toMatchObject({ code: 124 });
    const { code, output } = await runtime.run(id, ["ps"], 10_000, going());
    expect({ code, left: output.split("\n").filter((line) => line.includes("sleep 13")) }).toEqual({
      ...{ code: 0, left: [expect.stringContaining("sleep 1300")] },
    });
  });
}

/** A connection that is no socket, as a channel of SSH is none. */
function channelTo(path: string): EngineSocket {
  return {
    kind: "dial",
    async dial(signal) {
      const socket = createConnection({ path, signal });
      const [near, far] = duplexPair();
      pipeline(socket, far, socket, () => near.destroy());
      return near.once("close", () => socket.destroy());
    },
  };
}

function awayContract(kind: EngineKind, given: { readonly engine: Engine }): void {
  const open = (socket: EngineSocket) => {
    const runtime = openEngine(kind, socket);
    onTestFinished(async () => {
      await runtime.close();
      clear(given.engine);
    });
    return runtime;
  };
  const spec = (id: string) => ({
    ...{ id, labels, environment: { COLOUR: "blue" }, limits: {} },
    workload: behaving(given.engine, { prints: ["ready"], onTerm: "says bye" }),
    container: { port: 80, mounts: [], hosts: {} },
  });

  test("is the same over any connection", async () => {
    const runtime = open(channelTo(given.engine.socket));
    const ended = nextEvent(runtime, "exited");
    const made = await runtime.start(spec("ins_channel"), going());
    await untilPrinted({ runtime }, made.id, "ready");
    const followed = read(runtime, made.id, { follow: true });
    expect(await runtime.run(made.id, ["sh", "-c", "echo $COLOUR"], 10_000, going())).toEqual({
      ...{ code: 0, output: "blue\n" },
    });
    await runtime.stop(made.id, 10_000, going());
    expect(await ended).toMatchObject({ id: made.id, exit: { code: 0 } });
    expect(await followed).toEqual(["ready", "bye"]);
  });

  test("goes on when the engine was away for a while, and tells what happened meanwhile", async () => {
    const { engine } = given;
    const runtime = open({ kind: "unix", path: engine.socket });
    const ended = nextEvent(runtime, "exited");
    const { id } = await runtime.start(spec("ins_away"), going());
    await untilPrinted({ runtime }, id, "ready");
    await engine.restart();
    await vi.waitFor(() => runtime.list(going()), { timeout: 20_000 });
    // Docker's containers end with it, those of Podman have nobody above them.
    if (kind === "podman") await runtime.stop(id, 10_000, going());
    expect(await ended).toMatchObject({ id });
    expect(await runtime.list(going())).toMatchObject([{ id, state: "exited" }]);
    expect((await read(runtime, id))[0]).toBe("ready");
    const next = await runtime.start(spec("ins_back"), going());
    expect(next.state).toBe("running");
    const gone = nextEvent(runtime, "removed");
    engine.run("rm", "-f", ...(kind === "podman" ? ["-t", "0"] : []), engine.run("ps", "-q"));
    expect(await gone).toMatchObject({ id: "ins_back" });
  });
}
