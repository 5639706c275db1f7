import type { MachineDocument } from "@fed/lab";
import { onTestFinished } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { type EventLog, openEventLog } from "#hub/event/verbs.ts";
import type { ToldFacts } from "#port/collector.ts";
import type { FedEvent } from "#wire/event.ts";
import type { MachineFacts } from "#wire/machine.ts";
import type { Look } from "./machine.ts";
import { type Machines, openMachines } from "./verbs.ts";

export const origin = { actor: "local", correlation: "cor_1" };
export const going = () => new AbortController().signal;

export const answered = { kind: "answered", tookMs: 3, detail: "" } as const satisfies Look;
export const silent = { kind: "silent", reason: "no answer within 3 s" } as const satisfies Look;

export const facts: ToldFacts = {
  ...{ hostname: "node5", os: "Debian GNU/Linux 12", kernel: "6.1.0", architecture: "x64", cores: 4 },
  ...{ memoryBytes: 8 * 2 ** 30, bootedMs: 1_699_000_000_000 },
};

export const server = (address = "192.168.1.5"): MachineDocument => ({ kind: "server", address });
export const workstation = (address = "192.168.1.6"): MachineDocument => ({ kind: "workstation", address });

/** Looks that came one after the other. */
export function see(machines: Machines, name: string, looks: readonly Look[], said?: MachineFacts): void {
  for (const look of looks) machines.saw(name, { look, ...(said === undefined ? {} : { reading: { facts: said } }) });
}

/** Machines in a control database of their own, gone after the test. */
export function makeScene() {
  const control = openTestControl();
  const clock = handClock();
  const events = openEventLog({ db: control.db, clock, trace: silentTrace });
  const told: FedEvent[] = [];
  events.listen((event) => void told.push(event));
  const room = { full: false };
  /** Refuses every deed while the disk is full. */
  const log: EventLog = {
    ...events,
    deed(...args) {
      if (room.full) throw new Fault("unreachable", "the disk is full");
      return events.deed(...args);
    },
  };
  let changes = 0;
  const reopen = (): Machines =>
    openMachines({
      ...{ db: control.db, events: log, clock },
      servicesOn: (machine) => (machine === "here" ? ["dev/api"] : []),
      onChange: () => changes++,
    });
  let open = true;
  const close = () => {
    if (open) {
      events.close();
      control[Symbol.dispose]();
    }
    open = false;
  };
  onTestFinished(close);
  return {
    ...{ db: control.db, events: log, clock, told, room, machines: reopen() },
    /** As a hub that starts anew finds them. */
    reopen,
    changes: () => changes,
    /** The events since the last call, in short. */
    news: () => told.splice(0).map(({ subject, type, data }) => [subject, type, data] as const),
    /** For one of many in a test; otherwise the end of the test does it. */
    [Symbol.dispose]: close,
  };
}
