import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FedEvent } from "../../../packages/fed/src/wire/event.ts";
import type { WireMachine } from "../../../packages/fed/src/wire/machine.ts";
import { repository, runFed, startProgram } from "../program.ts";
import { until } from "../stage.ts";

/** A hub of the real program on a lab of machines. */
export interface FleetHub {
  readonly data: string;
  readonly url: string;
  readonly pid: number;
  /** A command of fed that must end well; its stdout. */
  fed(...words: readonly string[]): Promise<string>;
  machine(name: string): Promise<WireMachine>;
  machines(): Promise<readonly WireMachine[]>;
  /** Asks it for everything now. */
  look(name: string): Promise<void>;
  /** Waits until the machine is in one of these states. */
  reaches(name: string, ...states: readonly WireMachine["state"][]): Promise<WireMachine>;
  /** What happened to a machine, in short: `unknown → online`, or the type of the event. */
  story(name: string): Promise<readonly string[]>;
  /** The value of a query at this moment; undefined when it has none. */
  value(query: string): Promise<number | undefined>;
  /** Open files and connections of the hub. */
  files(): number;
  write(lab: string): Promise<void>;
  down(): Promise<void>;
}

const limitMs = 60_000;

export async function startFleetHub(folder: string, lab: string): Promise<FleetHub> {
  const [data, path] = [join(folder, "data"), join(folder, "lab.ts")];
  await writeFile(path, lab);
  // No agent and no keys but those of the test.
  const env = { HOME: folder, SSH_AUTH_SOCK: "" };
  const words = ["up", path, "--data", data, "--port", "0", "--ingress-port", "0"];
  const program = startProgram(join(repository, "fed"), words, { env });
  const [, url = ""] = await program.says(/ready api=(\S+)/);
  const token = (await readFile(join(data, "token"), "utf8")).trim();
  const pid = Number(JSON.parse(await readFile(join(data, "hub.json"), "utf8")).pid);
  const ask = async <T>(address: string): Promise<T> => {
    const answer = await fetch(`${url}${address}`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const machine = (name: string) => ask<WireMachine>(`/api/v1/machines/${name}`);
  let up = true;
  const down = async () => {
    if (up) await runFed(["down", "--data", data], { env });
    up = false;
    await program.ending;
  };
  onTestFinished(down, limitMs);
  return {
    ...{ data, url, pid, machine, down },
    async fed(...more) {
      const { code, out, err } = await runFed([...more, "--data", data], { env });
      if (code !== 0) throw new Error(`fed ${more.join(" ")} ended with ${code}: ${err}`);
      return out;
    },
    machines: async () => (await ask<{ machines: readonly WireMachine[] }>("/api/v1/machines")).machines,
    async look(name) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/api/v1/machines/${name}/look`, { method: "POST", headers });
      await answer.text();
    },
    async reaches(name, ...states) {
      let last: WireMachine | undefined;
      const look = async () => {
        last = await machine(name);
        return states.includes(last.state) ? last : undefined;
      };
      try {
        return await until(`${name}: ${states.join(" or ")}`, look, limitMs);
      } catch (cause) {
        throw new Error(`${name} stays ${last?.state}: ${last?.detail}`, { cause });
      }
    },
    async story(name) {
      const query = `/api/v1/events?subject=${encodeURIComponent(`machine:${name}`)}&limit=500`;
      const { events } = await ask<{ events: readonly FedEvent[] }>(query);
      return events
        .toSorted((a, b) => a.sequence - b.sequence)
        .map((event) => (event.type === "machine.changed" ? `${event.data.from} → ${event.data.to}` : event.type));
    },
    async value(query) {
      type Answer = { data: { result: readonly { value: readonly [number, string] }[] } };
      const { data: found } = await ask<Answer>(`/api/v1/query?query=${encodeURIComponent(query)}`);
      const text = found.result[0]?.value[1];
      return text === undefined ? undefined : Number(text);
    },
    files: () => readdirSync(`/proc/${pid}/fd`).length,
    write: (text) => writeFile(path, text),
  };
}
