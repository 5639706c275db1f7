import type { WireContainer, WireMachine, WireUnit } from "@fed/fed/wire/machine.ts";
import { countText } from "../view/format.ts";
import type { Look, Tone } from "../view/tone.ts";
import type { MachineTab } from "./machine-search.ts";

/** What is not as it should be on a machine, in words. Pure. */

export interface Chip {
  readonly word: string;
  readonly tone: Tone;
  /** The part of its page that has more of it. */
  readonly tab?: MachineTab;
}

type Judged = Pick<WireMachine, "tally" | "maintenance" | "hostKey" | "problems">;

/** All of it, the worst first. */
export function chipsOf({ tally, maintenance, hostKey, problems }: Judged): readonly Chip[] {
  const chips: (Chip | false | undefined)[] = [
    hostKey && { word: "host key changed", tone: "bad" },
    problems.length > 0 && { word: countText(problems.length, "problem"), tone: "warn" },
    maintenance && { word: "maintenance", tone: "info" },
  ];
  const all = [...chips.filter(isChip), ...tallyChips({ tally })];
  return all.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
}

const isChip = (chip: Chip | false | undefined): chip is Chip => typeof chip === "object";

/** What its lists have in them, in short; the worst first. */
export function tallyChips({ tally: { updates, units, containers, storage } }: Pick<Judged, "tally">): readonly Chip[] {
  const chips: (Chip | false | undefined)[] = [
    storage &&
      storage.troubled > 0 && {
        word: `${countText(storage.troubled, "disk")} in trouble`,
        tone: "bad",
        tab: "storage",
      },
    units && units.failed > 0 && { word: `${countText(units.failed, "unit")} failed`, tone: "bad", tab: "units" },
    containers &&
      containers.troubled > 0 && {
        word: `${countText(containers.troubled, "container")} in trouble`,
        tone: "bad",
        tab: "containers",
      },
    updates &&
      updates.security > 0 && { word: countText(updates.security, "security update"), tone: "warn", tab: "updates" },
    updates?.restart && { word: "restart needed", tone: "warn", tab: "updates" },
    updates &&
      updates.pending > updates.security && {
        word: countText(updates.pending - updates.security, updates.security > 0 ? "other update" : "update"),
        tone: "idle",
        tab: "updates",
      },
  ];
  return chips.filter(isChip);
}

export function lookOfUnit({ active, sub }: Pick<WireUnit, "active" | "sub">): Look {
  // What it does says more than that it is active; of a failure, that it failed.
  const word = (active === "active" || active === "activating") && sub !== "" ? sub : active;
  if (active === "failed") return { word, tone: "bad" };
  if (active === "active") return { word, tone: "good" };
  return { word, tone: active === "inactive" ? "idle" : "info" };
}

/** How a container ends that was asked to: well, or by the signal that asks. The same as in what the hub counts. */
const onPurpose: ReadonlySet<number> = new Set([0, 130, 143]);

export function lookOfContainer(container: Pick<WireContainer, "state" | "health" | "exitCode">): Look {
  const { state, health, exitCode } = container;
  if (state === "running" && health === "unhealthy") return { word: "unhealthy", tone: "bad" };
  if (state === "running" && health === "starting") return { word: "starting", tone: "info" };
  if (state === "running") return { word: health ?? "running", tone: "good" };
  if (state === "exited") {
    return exitCode === undefined || onPurpose.has(exitCode)
      ? { word: "ended", tone: "idle" }
      : { word: `ended with ${exitCode}`, tone: "bad" };
  }
  if (state === "restarting" || state === "dead") return { word: state, tone: "bad" };
  return { word: state, tone: "info" };
}

const order: readonly Tone[] = ["bad", "warn", "info", "good", "idle"];

/** The worst first, then by name. */
export function worstFirst<T extends { readonly name: string }>(
  all: readonly T[],
  lookOf: (one: T) => Look,
): readonly T[] {
  const weight = (one: T) => order.indexOf(lookOf(one).tone);
  return [...all].sort((a, b) => weight(a) - weight(b) || a.name.localeCompare(b.name));
}
