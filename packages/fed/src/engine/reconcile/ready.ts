import { compareText } from "#engine/graph/order.ts";
import type { Draft } from "./draft.ts";
import type { Action, DesiredService, ObservedInstance, SpecFields } from "./plan.ts";
import { holdReason, nameOf } from "./reason.ts";

/** What the planning of one service knows of the whole. */
export interface Scene {
  readonly draft: Draft;
  readonly nowMs: number;
  readonly earlier: Readonly<Record<string, SpecFields>>;
  /** By id. */
  instancesOf(key: string): readonly ObservedInstance[];
  /** For each wanted service planned so far. */
  readonly ready: Map<string, Ready>;
}

/** When a service can be relied upon by those that need it. */
export type Ready =
  | { readonly kind: "now" }
  /** After this step of the plan. */
  | { readonly kind: "after"; readonly step: string }
  /** It is routed, but nobody knows its health: after this check, which is not in the plan yet. */
  | { readonly kind: "unchecked"; readonly check: Action }
  /** Not by this plan. Why, in words that go on after its name. */
  | { readonly kind: "never"; readonly why: string };

/** Whether instances of a service may be started. */
export type Gate =
  | { readonly kind: "open"; readonly after: readonly string[] }
  | { readonly kind: "closed"; readonly why: string };

/** Asks hold and needs; where a needed service's health must be found out first, adds the check. */
export function openGate(scene: Scene, service: DesiredService): Gate {
  const { hold } = service;
  if (hold && !(hold.kind === "backOff" && hold.untilMs <= scene.nowMs)) {
    return { kind: "closed", why: holdReason(hold, scene.nowMs) };
  }
  const states = service.needs
    .toSorted(compareText)
    .map((need) => ({ need, ready: scene.ready.get(need) ?? notWanted }));
  const unmet = states.flatMap(({ need, ready }) => (ready.kind === "never" ? `${need}, which ${ready.why}` : []));
  if (unmet.length > 0) return { kind: "closed", why: `waits for ${unmet.join("; and for ")}` };
  return { kind: "open", after: states.flatMap(({ need, ready }) => stepOf(scene, service, need, ready)) };
}

const notWanted: Ready = { kind: "never", why: "is not in the lab" };

function stepOf(scene: Scene, service: DesiredService, need: string, ready: Ready): readonly string[] {
  if (ready.kind === "after") return [ready.step];
  if (ready.kind !== "unchecked") return [];
  const step = scene.draft.add(ready.check, `${nameOf(service.key)} needs it`, []);
  scene.ready.set(need, { kind: "after", step });
  return [step];
}
