/** What the contracts of the port `runtime` share. */
import { expect } from "vitest";
import type { FakeBehaviour } from "./runtime.fake.ts";
import type { ContainerPlace, Instance, InstanceSpec, LogOptions, Runtime, RuntimeEvent, Workload } from "./runtime.ts";

/** A runtime to test: open, with nothing in it. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  /** Lets go of the runtime and opens it anew, as the next hub would. What runs goes on. */
  reopen(): Promise<Runtime>;
  /** Something to run that does what is said. */
  workload(behaviour: FakeBehaviour): Workload | Promise<Workload>;
  /** How an instance stands that listens, where it is a container. */
  readonly container?: ContainerPlace | undefined;
  /** Ends everything, whatever the test left. */
  close(): Promise<void>;
}

/** What the contracts share; filled before each test. */
export interface Given {
  under: RuntimeUnderTest;
  runtime: Runtime;
  /** An id nobody else has: tests that run at once on one machine must not meet. */
  id(name: string | number): string;
  start(behaviour?: FakeBehaviour, more?: Partial<InstanceSpec>): Promise<Instance>;
}

/** A signal that never aborts. */
export const going = () => new AbortController().signal;
export const labels = { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 0 };
export async function makeSpec(
  given: Given,
  id: string,
  behaviour: FakeBehaviour,
  more: Partial<InstanceSpec>,
): Promise<InstanceSpec> {
  const { container } = given.under;
  const workload = await given.under.workload(behaviour);
  return { id, labels, workload, container, environment: {}, limits: {}, ...more };
}

export async function read(
  runtime: Runtime,
  id: string,
  options: LogOptions = {},
  signal: AbortSignal = going(),
): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const line of runtime.logs(id, options, signal)) {
    expect(line.instance).toBe(id);
    texts.push(line.text);
  }
  return texts;
}

export async function untilPrinted(given: Pick<Given, "runtime">, id: string, text: string): Promise<void> {
  for await (const line of given.runtime.logs(id, { follow: true }, going())) if (line.text === text) return;
  throw new Error(`${id} ended without printing ${text}`);
}

/** The next event of that kind from the moment of the call. */
export function nextEvent(runtime: Runtime, kind: RuntimeEvent["kind"]): Promise<RuntimeEvent> {
  const events = runtime.watch(going());
  const next = async () => {
    for await (const event of events) if (event.kind === kind) return event;
    throw new Error(`no event ${kind}`);
  };
  return next();
}
