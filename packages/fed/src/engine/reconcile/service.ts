import type { Draft } from "./draft.ts";
import type { Desired, DesiredService, ObservedInstance } from "./plan.ts";
import { changeReason, count, holdReason } from "./reason.ts";

/** What the planning of one service knows of the whole. */
export interface Scene {
  readonly draft: Draft;
  readonly desired: Desired;
  readonly nowMs: number;
  /** By id. */
  instancesOf(key: string): readonly ObservedInstance[];
  /** Services planned so far that this plan makes ready: key → id of the step after which they are. */
  readonly ready: Map<string, string>;
  /** Instances that must have stopped before this service may go to none. */
  readonly leaving: ReadonlyMap<string, readonly ObservedInstance[]>;
}

/** A service's instances by what is to become of them. */
interface Sorted {
  /** Of the wished spec and well: they stay. */
  readonly keep: readonly ObservedInstance[];
  /** They run and must go. */
  readonly leave: readonly ObservedInstance[];
  /** Ended. The newest stays for its output. */
  readonly dead: readonly ObservedInstance[];
  /** Replica numbers to be started. */
  readonly missing: readonly number[];
}

export function planService(scene: Scene, service: DesiredService): void {
  const sorted = sortOut(scene.instancesOf(service.key), service);
  const held = holdNow(scene, service);
  const blocked = sorted.missing.length > 0 && !held ? blockersOf(scene, service) : [];
  if (sorted.missing.length > 0 && held) scene.draft.note(`${service.key} ${held}`);
  for (const need of blocked) scene.draft.note(`${service.key} waits for ${need}, which is not healthy`);
  const starting = !held && blocked.length === 0 ? sorted.missing : [];
  const early = switchOutFailed(scene, service, sorted);
  if (sorted.missing.length > 0 && starting.length === 0) return planHeld(scene, service, sorted, early);
  if (service.stopFirst !== undefined && starting.length > 0 && sorted.leave.length > 0) {
    return planStopFirst(scene, service, sorted, service.stopFirst, early);
  }
  planOverlap(scene, service, sorted, early);
}

/** What is no longer wished at all. */
export function planGone(scene: Scene, key: string): void {
  const instances = scene.instancesOf(key);
  const running = instances.filter((one) => one.state === "running");
  const off = instances.some((one) => one.routed)
    ? [scene.draft.add({ kind: "switch", service: key, spec: undefined }, "no longer in the lab", [])]
    : [];
  for (const one of running) retire(scene, one, "no longer in the lab", off);
  for (const one of instances.filter(({ state }) => state === "exited"))
    remove(scene, one, "no longer in the lab", off);
}

function sortOut(instances: readonly ObservedInstance[], service: DesiredService): Sorted {
  const running = instances.filter((one) => one.state === "running");
  const well = running
    .filter((one) => one.spec === service.spec && one.health !== "unhealthy")
    .sort((a, b) => a.replica - b.replica || Number(b.routed) - Number(a.routed));
  const keep: ObservedInstance[] = [];
  for (const one of well) {
    if (keep.length < service.replicas && !keep.some(({ replica }) => replica === one.replica)) keep.push(one);
  }
  const used = new Set(keep.map(({ replica }) => replica));
  const missing: number[] = [];
  for (let replica = 0; missing.length + keep.length < service.replicas; replica++) {
    if (!used.has(replica)) missing.push(replica);
  }
  return {
    keep,
    missing,
    leave: running.filter((one) => !keep.includes(one)),
    dead: instances.filter((one) => one.state === "exited"),
  };
}

function holdNow(scene: Scene, { hold }: DesiredService): string | undefined {
  if (!hold || (hold.kind === "backOff" && hold.untilMs <= scene.nowMs)) return undefined;
  return holdReason(hold, scene.nowMs);
}

/** Needed services that neither serve now nor will after this plan. */
function blockersOf(scene: Scene, service: DesiredService): readonly string[] {
  return service.needs.filter((need) => !serves(scene, need) && !scene.ready.has(need));
}

function serves(scene: Scene, key: string): boolean {
  return scene.instancesOf(key).some((one) => one.state === "running" && one.routed && one.health !== "unhealthy");
}

/** Requests must not go to what has ended, nor to what is sick while others are well: that cannot wait for a replacement. */
function switchOutFailed(scene: Scene, service: DesiredService, { keep, leave, dead }: Sorted): readonly string[] {
  const routed = [...keep, ...leave, ...dead].filter((one) => one.routed);
  const bad = routed.filter((one) => one.state === "exited" || one.health === "unhealthy");
  const good = routed.filter((one) => one.state === "running" && one.health === "healthy");
  const [worst] = bad;
  if (!worst || (good.length === 0 && bad.every((one) => one.state === "running"))) return [];
  // Of what is routed the wished spec comes first, else any that is well.
  const spec = good.find((one) => one.spec === service.spec)?.spec ?? good[0]?.spec;
  const reason =
    worst.state === "exited" ? `an instance ended: ${worst.exit ?? "unknown why"}` : "an instance is unhealthy";
  return [scene.draft.add({ kind: "switch", service: service.key, spec }, reason, [])];
}

/** Nothing may be started now. What serves stays; what never came to serve goes, and its output stays. */
function planHeld(scene: Scene, service: DesiredService, sorted: Sorted, early: readonly string[]): void {
  const switched = switchIn(scene, service, sorted.keep, early, "");
  const serving = [...sorted.keep, ...sorted.leave].some((one) => one.routed && one.state === "running");
  if (!serving && switched.length === 0) return;
  const gaveUp = service.hold?.kind === "gaveUp";
  for (const one of sorted.keep) {
    if (gaveUp && !one.routed && one.health === "unknown") stop(scene, one, "this version never became healthy", early);
  }
  for (const one of sorted.leave) if (!one.routed) retire(scene, one, "left over from an earlier try", early);
}

function planOverlap(scene: Scene, service: DesiredService, sorted: Sorted, early: readonly string[]): void {
  const { draft } = scene;
  const reason = startReason(scene, service, sorted);
  // A sick instance of a service with others that are well is ended first; otherwise it stays until its replacement serves.
  const starts = sorted.missing.map((replica) =>
    draft.add(
      { kind: "start", service: service.key, spec: service.spec, replica },
      reason,
      waitsFor(scene, service, early),
    ),
  );
  const switched = finish(scene, service, sorted.keep, starts, early, reason);
  const goes = service.replicas === 0 ? stopsOf(scene, service.key) : [];
  const after = [...switched, ...early, ...goes];
  for (const one of sorted.leave) retire(scene, one, leaveReason(scene, service, one), after);
  removeOldOutput(scene, sorted.dead, after);
}

function planStopFirst(
  scene: Scene,
  service: DesiredService,
  sorted: Sorted,
  why: string,
  early: readonly string[],
): void {
  const { draft } = scene;
  const reason = startReason(scene, service, sorted);
  const waits = waitsFor(scene, service, early);
  const routed = sorted.leave.some((one) => one.routed);
  const off = routed
    ? [draft.add({ kind: "switch", service: service.key, spec: undefined }, `stops first: ${why}`, waits)]
    : waits;
  const gone = sorted.leave.map((one) => retire(scene, one, `stops first: ${why}`, off));
  const starts = sorted.missing.map((replica) =>
    draft.add({ kind: "start", service: service.key, spec: service.spec, replica }, reason, [...off, ...gone]),
  );
  const switched = finish(scene, service, sorted.keep, starts, [], reason);
  removeOldOutput(scene, sorted.dead, switched);
}

/** Check what was started, then let it serve. */
function finish(
  scene: Scene,
  service: DesiredService,
  keep: readonly ObservedInstance[],
  starts: readonly string[],
  early: readonly string[],
  reason: string,
): readonly string[] {
  if (service.replicas === 0) {
    if (!scene.instancesOf(service.key).some((one) => one.routed)) return [];
    return [
      scene.draft.add({ kind: "switch", service: service.key, spec: undefined }, "no instance is wanted", [
        ...stopsOf(scene, service.key),
      ]),
    ];
  }
  return starts.length > 0
    ? checkAndSwitch(scene, service, [...starts, ...early], reason)
    : switchIn(scene, service, keep, early, reason);
}

/** Lets what runs and is not routed serve, and takes out of service what is not to stay. */
function switchIn(
  scene: Scene,
  service: DesiredService,
  keep: readonly ObservedInstance[],
  early: readonly string[],
  reason: string,
): readonly string[] {
  const instances = scene.instancesOf(service.key);
  const unrouted = keep.filter((one) => !one.routed);
  const hold = service.hold?.kind === "gaveUp";
  if (hold && unrouted.every((one) => one.health === "unknown")) return [];
  const extra = instances.some((one) => one.routed && one.state === "running" && !keep.includes(one));
  if (unrouted.length === 0 && !extra) return [];
  if (hold && keep.length < service.replicas && extra) return [];
  if (unrouted.some((one) => one.health === "unknown")) {
    return checkAndSwitch(scene, service, early, reason || "it runs and does not serve yet");
  }
  return ready(
    scene,
    service,
    scene.draft.add({ kind: "switch", service: service.key, spec: service.spec }, reason || "it is healthy", early),
  );
}

function checkAndSwitch(
  scene: Scene,
  service: DesiredService,
  after: readonly string[],
  reason: string,
): readonly string[] {
  const { draft } = scene;
  const { key, spec } = service;
  const checked = draft.add(
    { kind: "check", service: key, spec },
    "new instances must be healthy before they serve",
    after,
  );
  return ready(scene, service, draft.add({ kind: "switch", service: key, spec }, reason, [checked]));
}

function ready(scene: Scene, service: DesiredService, step: string): readonly string[] {
  scene.ready.set(service.key, step);
  return [step];
}

function waitsFor(scene: Scene, service: DesiredService, early: readonly string[]): readonly string[] {
  const steps = service.needs.filter((need) => !serves(scene, need)).flatMap((need) => scene.ready.get(need) ?? []);
  return [...early, ...steps];
}

function startReason(scene: Scene, service: DesiredService, { leave, dead, keep }: Sorted): string {
  const old = leave.find((one) => one.spec !== service.spec);
  if (old) return changeReason(service, old.spec, scene.desired.earlier);
  if (leave.some((one) => one.health === "unhealthy")) return "an instance is unhealthy";
  const ended = dead.findLast((one) => one.spec === service.spec);
  if (ended) return `an instance ended: ${ended.exit ?? "unknown why"}`;
  if (keep.length > 0) return `${count(service.replicas, "replica")} wanted, ${keep.length} there`;
  return "it is in the lab and does not run";
}

function leaveReason(scene: Scene, service: DesiredService, one: ObservedInstance): string {
  if (service.replicas === 0) return "no instance is wanted";
  if (one.spec !== service.spec) return changeReason(service, one.spec, scene.desired.earlier);
  if (one.health === "unhealthy") return "it is unhealthy";
  return `${count(service.replicas, "replica")} wanted`;
}

function stopsOf(scene: Scene, key: string): readonly string[] {
  const leaving = new Set((scene.leaving.get(key) ?? []).map(({ id, service }) => `stop ${service} ${id}`));
  return [...leaving];
}

/** Drain, stop, remove. Returns the last step. */
function retire(scene: Scene, one: ObservedInstance, reason: string, after: readonly string[]): string {
  return remove(scene, one, reason, [stop(scene, one, reason, after)]);
}

function stop(scene: Scene, one: ObservedInstance, reason: string, after: readonly string[]): string {
  const on = { service: one.service, instance: one.id };
  const drained = scene.draft.add({ kind: "drain", ...on }, "let requests in flight finish", after);
  return scene.draft.add({ kind: "stop", ...on }, reason, [drained]);
}

function remove(scene: Scene, one: ObservedInstance, reason: string, after: readonly string[]): string {
  return scene.draft.add({ kind: "remove", service: one.service, instance: one.id }, reason, after);
}

/** The newest ended instance stays, so that its output can be read. */
function removeOldOutput(scene: Scene, dead: readonly ObservedInstance[], after: readonly string[]): void {
  for (const one of dead.slice(0, -1)) remove(scene, one, "its output is older than the newest end", after);
}
