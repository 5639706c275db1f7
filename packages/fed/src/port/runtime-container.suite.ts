/** The contract of the port `runtime` for those that run images: ports, data, networks and limits of containers. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { going, labels, nextEvent, read, untilPrinted } from "./runtime.scene.ts";
import type { ContainerPlace, ContainerRuntime, Instance, InstanceSpec } from "./runtime.ts";

/** A runtime of containers to test: open, with nothing in it. */
export interface ContainersUnderTest {
  readonly runtime: ContainerRuntime;
  /** The id of an image of busybox that runs this script. */
  image(script: string, changes?: readonly string[]): string;
  /** Whether names are looked up in a lab's network: that takes a part that not every machine has. */
  readonly names: boolean;
  /** Whether the engine notices that the kernel ended a container for its memory: Podman's watcher does not everywhere. */
  readonly tellsMemory: boolean;
  /** What the engine itself tells of the container of an instance, as text. */
  tell(id: string): string;
  /** Makes a volume that is nobody's, as people do by hand; answers its name. */
  makeVolume(name: string): string;
  /** The names of all volumes that the engine has. */
  volumes(): readonly string[];
  close(): Promise<void>;
}

interface Given {
  under: ContainersUnderTest;
  runtime: ContainerRuntime;
  tag: string;
  run(script: string, container?: Partial<ContainerPlace>, more?: Partial<InstanceSpec>): Promise<Instance>;
}

const waits = "; while :; do sleep 0.05; done";

export function containerSuite(name: string, make: () => Promise<ContainersUnderTest>): void {
  describe(`containers of ${name}`, () => {
    const given = {} as Given;
    beforeEach(async () => {
      given.under = await make();
      given.runtime = given.under.runtime;
      given.tag = randomUUID().slice(0, 8);
      let count = 0;
      given.run = (script, container = {}, more = {}) => {
        const workload = { kind: "image", reference: given.under.image(script) } as const;
        const place = { mounts: [], hosts: {}, ...container };
        const id = `ins_${given.tag}_${count++}`;
        return given.runtime.start(
          { id, labels, workload, environment: {}, limits: {}, ...more, container: place },
          going(),
        );
      };
    });
    afterEach(() => given.under.close());

    describe("ports and names", () => placeContract(given));
    describe("data", () => dataContract(given));
    describe("limits and ends", () => limitContract(given));
  });
}

function placeContract(given: Given): void {
  const httpd = "mkdir /w; echo $FED_SERVICE on $PORT >/w/index.html; exec httpd -f -p $PORT -h /w";

  it("is reached at its address, and at the machine's own port when it has one", async () => {
    const hostPort = await freePort();
    const { address } = await given.run(httpd, { port: 8080, hostPort });
    expect(address.port).not.toBe(hostPort);
    for (const port of [address.port, hostPort])
      await vi.waitFor(async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
        expect(await answer.text()).toBe("api on 8080\n");
      });
    const refused = given.run(httpd, { port: 8080, hostPort });
    await expect(refused).rejects.toMatchObject({ code: "conflict" });
    expect((await given.runtime.list(going())).length).toBe(1);
  });

  it("listens on nothing that is known when it has no port", async () => {
    const { address } = await given.run(`true${waits}`);
    expect(address.port).toBe(0);
  });

  it("finds its machine by a name, and what listens there", async () => {
    const port = await freePort();
    const hosts = { "host.fed.internal": "host-gateway", "other.test": "192.0.2.7" };
    const asks = `until wget -qO- http://host.fed.internal:${port}/ 2>/dev/null; do sleep 0.1; done`;
    const { id } = await given.run(`busybox grep other.test /etc/hosts; ${asks}${waits}`, { hosts });
    // Podman makes a network, and with it this address of the machine, when the first container of it starts.
    const host = await given.runtime.hostAddress(labels.lab, labels.environment, going());
    const server = createServer((_, response) => response.end("from the machine\n"));
    onTestFinished(() => void server.close());
    await once(server.listen(port, host), "listening");
    await untilPrinted({ runtime: given.runtime }, id, "from the machine");
    expect((await read(given.runtime, id)).join("\n")).toMatch(/192\.0\.2\.7\s+other\.test/);
  });

  it("finds the other services of its lab and environment by their names", async () => {
    if (!given.under.names) return;
    await given.run(httpd, { port: 8080 });
    const ask = (name: string) => `until wget -qO- http://${name}:8080/; do sleep 0.1; done`;
    const asker = { labels: { ...labels, service: "web" } };
    const { id } = await given.run(`${ask("api")}; ${ask("api.dev")}; echo done${waits}`, {}, asker);
    await untilPrinted({ runtime: given.runtime }, id, "done");
    expect(await read(given.runtime, id)).toEqual(["api on 8080", "api on 8080", "done"]);
  });
}

function dataContract(given: Given): void {
  it("keeps a volume over instances", async () => {
    const mounts = [
      { kind: "volume", name: `fed-ocean-dev-api-${given.tag}`, target: "/data", readOnly: false },
    ] as const;
    const first = nextEvent(given.runtime, "exited");
    const { id } = await given.run("echo kept >/data/it", { mounts });
    await first;
    await given.runtime.remove(id, going());
    const second = nextEvent(given.runtime, "exited");
    const readOnly = mounts.map((mount) => ({ ...mount, readOnly: true }));
    const next = await given.run("cat /data/it; touch /data/more 2>/dev/null || echo refused", { mounts: readOnly });
    await second;
    expect(await read(given.runtime, next.id)).toEqual(["kept", "refused"]);
  });

  it("tells the volumes of services and removes one for good, not while somebody has it, and nobody else's", async () => {
    const [one, two] = ["one", "two"].map((name) => `fed-ocean-dev-api-${given.tag}-${name}`) as [string, string];
    const mounts = [one, two].map((name) => ({ kind: "volume", name, target: `/${name}`, readOnly: false }) as const);
    const others = given.under.makeVolume(`stranger-${given.tag}`);
    const ended = nextEvent(given.runtime, "exited");
    const { id } = await given.run(`echo kept >/${one}/it`, { mounts });
    await ended;
    const whose = { lab: labels.lab, environment: labels.environment, service: labels.service };
    const listed = async () => (await given.runtime.volumes(going())).filter(({ name }) => name.includes(given.tag));
    expect(await listed()).toEqual([
      { name: one, ...whose },
      { name: two, ...whose },
    ]);
    await expect(given.runtime.removeVolume(one, going())).rejects.toMatchObject({ code: "conflict" });
    await given.runtime.remove(id, going());
    for (let times = 0; times < 2; times++) await given.runtime.removeVolume(one, going());
    expect(await listed()).toEqual([{ name: two, ...whose }]);
    await expect(given.runtime.removeVolume(others, going())).rejects.toMatchObject({ code: "denied" });
    expect(given.under.volumes()).toContain(others);
    const again = nextEvent(given.runtime, "exited");
    const next = await given.run(`cat /${one}/it || echo gone`, { mounts });
    await again;
    expect(await read(given.runtime, next.id)).toContain("gone");
  });

  it("shares a folder of the machine, which must be there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fed-shared-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    // What is in its name must not be read as anything else.
    const shared = join(folder, "a,b=c d");
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    writeFileSync(join(shared, "in"), "from outside\n");
    const mounts = [{ kind: "folder", path: shared, target: "/shared", readOnly: false }] as const;
    const ended = nextEvent(given.runtime, "exited");
    const { id } = await given.run("cat /shared/in; echo from inside >/shared/out", { mounts });
    await ended;
    expect(await read(given.runtime, id)).toEqual(["from outside"]);
    expect(readFileSync(join(shared, "out"), "utf8")).toBe("from inside\n");
    const absent = [{ ...mounts[0], path: join(folder, "absent") }];
    await expect(given.run("true", { mounts: absent })).rejects.toMatchObject({ code: "missing" });
    expect((await given.runtime.list(going())).length).toBe(1);
  });

  it("tells no secret that is a file, and labels for whoever looks", async () => {
    const { id } = await given.run(
      `cat $KEY_FILE; ls -ln $KEY_FILE | cut -c1-10${waits}`.replace("cut", "busybox cut"),
      {},
      {
        labels: { ...labels, release: "rel_1", digest: "sha256:5a", commit: "c0ffee" },
        files: { KEY_FILE: { name: "KEY", content: "canary\n" } },
      },
    );
    await untilPrinted({ runtime: given.runtime }, id, "-r--r--r--");
    const told = given.under.tell(id);
    expect(told).not.toContain("canary");
    for (const text of ["fed.release", "rel_1", "fed.commit", "c0ffee", "fed.digest", `"fed.id": "${id}"`])
      expect(told).toContain(text);
    expect(await given.runtime.list(going())).toMatchObject([
      { labels: { release: "rel_1", digest: "sha256:5a", commit: "c0ffee" } },
    ]);
  });
}

function limitContract(given: Given): void {
  it("is ended for taking more memory than it may, and that is told", async () => {
    const ended = nextEvent(given.runtime, "exited");
    await given.run("tail /dev/zero", {}, { limits: { memoryBytes: 16 * 2 ** 20, cpu: 0.5 } });
    const exit = { signal: "SIGKILL", ...(given.under.tellsMemory ? { reason: "memory" } : {}) };
    expect(await ended).toMatchObject({ exit });
  });

  it("is asked to end by its image's own signal", async () => {
    const script = "trap 'echo asked; exit 0' USR1; echo ready; while :; do sleep 0.05; done";
    const workload = { kind: "image", reference: given.under.image(script, ["STOPSIGNAL SIGUSR1"]) } as const;
    const { id } = await given.run("", {}, { workload });
    await untilPrinted({ runtime: given.runtime }, id, "ready");
    await given.runtime.stop(id, 10_000, going());
    expect(await read(given.runtime, id)).toEqual(["ready", "asked"]);
  });

  it("cannot be of an image that is not there", async () => {
    const workload = { kind: "image", reference: `sha256:${"5a".repeat(32)}` } as const;
    await expect(given.run("", {}, { workload })).rejects.toMatchObject({ code: "missing" });
    expect(await given.runtime.list(going())).toEqual([]);
  });

  it("leaves nothing when its start is given up half-way", async () => {
    const controller = new AbortController();
    const workload = { kind: "image", reference: given.under.image(`true${waits}`) } as const;
    const start = given.runtime.start(
      {
        ...{ id: `ins_${given.tag}_x`, labels, workload, environment: {}, limits: {} },
        container: { mounts: [], hosts: {} },
      },
      controller.signal,
    );
    setImmediate(() => controller.abort("enough"));
    await expect(start).rejects.toBe("enough");
    expect(await given.runtime.list(going())).toEqual([]);
    // What the engine was asked to make goes away in its own time.
    await vi.waitFor(() => expect(given.under.tell("")).toBe(""), { timeout: 20_000 });
  });

  it("cuts a long line, and tells places in the output that hold", async () => {
    const ended = nextEvent(given.runtime, "exited");
    const long = "yes x | head -c 200000 | tr -d '\\n'".replace("head", "busybox head").replace("tr ", "busybox tr ");
    const { id } = await given.run(`echo first; ${long}; echo; echo last`);
    await ended;
    const [first, cut, last] = await read(given.runtime, id);
    expect([first, last]).toEqual(["first", "last"]);
    expect(cut).toMatch(/^x{65536} … \[34464 more bytes in this line\]$/);
  });
}

async function freePort(): Promise<number> {
  const server = createRawServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
