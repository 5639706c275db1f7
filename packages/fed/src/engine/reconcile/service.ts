import { addRemove, addRetire, addStop } from "./draft.ts";
import type { Action, DesiredService, ObservedInstance } from "./plan.ts";
import { type Gate, openGate, type Ready, type Scene } from "./ready.ts";
import { changeReason, startReason, surplusReason, troubleReason } from "./reason.ts";
import { settledAtMs } from "./settle.ts";
import { bestServing, isHealthy, isServing, type Serving, type Survey, survey } from "./survey.ts";

/** The planning of one service under way. */
interface Work {
  readonly scene: Scene;
  readonly service: DesiredService;
  readonly seen: Survey;
  /** Who can answer until the wanted instances do. */
  readonly serving: Serving | undefined;
}

/** What planning a service came to, for its own clearing up and for those that need it. */
interface Switched {
  /** The step that switches to the wanted instances. */
  readonly final?: string | undefined;
  /** The step that switches to who serves best as things are; undefined also when it switches to none. */
  readonly early?: string | undefined;
  /** The wanted release takes the place of one that serves. */
  readonly release?: boolean;
}

/** Plans a service of which at least one replica is wanted. The services it needs have been planned. */
export function planService(scene: Scene, service: DesiredService): void {
  if (service.hold?.kind === "unseen") {
    scene.draft.note(`${service.key} ${service.hold.why}`);
    scene.ready.set(service.key, { kind: "never", why: service.hold.why });
    return;
  }
  const seen = survey(scene.instancesOf(service.key), service);
  noteSettling(scene, service);
  const work: Work = { scene, service, seen, serving: bestServing(seen.running, service.spec) };
  const gate: Gate = seen.missing.length > 0 ? openGate(scene, service) : { kind: "open", after: [] };
  const switched = gate.kind === "open" ? planWanted(work, gate.after) : planHeld(work, gate.why);
  scene.ready.set(service.key, readyOf(work, switched));
}

/** Says why it is not at rest though nothing is left to do. */
function noteSettling(scene: Scene, service: DesiredService): void {
  const { key, fallback, hold } = service;
  const at = settledAtMs(service, scene.instancesOf(key));
  if (fallback === undefined || hold !== undefined || at === undefined) return;
  if (at <= scene.nowMs || at === Number.POSITIVE_INFINITY) return;
  const standing = scene.instancesOf(key).some((one) => standsBy(scene, service, one));
  const rest = standing ? "; the release before it stands by" : "";
  scene.draft.note(`${key} is watched until it has served well for ${fallback.settleMs / 1_000} s${rest}`);
}

/** Start what is missing, let it serve once it is healthy, clear away what is not wanted. */
function planWanted(work: Work, waits: readonly string[]): Switched {
  const { seen, service, scene } = work;
  const leaving = [...seen.old, ...seen.surplus, ...seen.sick];
  const inTheWay = seen.missing.length > 0 && leaving.some((one) => isInTheWay(scene, service, one));
  const stopFirst = inTheWay ? service.stopFirst : undefined;
  const bridge = needsBridge(work) && !(stopFirst !== undefined && waits.length === 0);
  const early = bridge ? addEarlySwitch(work) : undefined;
  const dropped =
    stopFirst === undefined ? [] : dropFirst(work, leaving, stopFirst, [...waits, ...stepsOf(early)], bridge);
  const starts = seen.missing.map((replica) =>
    scene.draft.add(
      { kind: "start", service: service.key, spec: service.spec, replica },
      startReason(scene, service, replica, seen),
      [...waits, ...dropped],
    ),
  );
  const aside = stopFirst === undefined ? [...seen.surplus, ...seen.sick] : [];
  const final = addFinalSwitch(work, starts, aside, early);
  if (stopFirst === undefined) clearAway(work, leaving, final, early);
  removeExited(work, final, early);
  const release = stopFirst !== undefined || seen.old.some(({ routed }) => routed);
  return { final, early: early?.to === undefined ? undefined : early.step, release };
}

/** Whether a new instance cannot run beside this one. What nobody knows of it counts as the same. */
function isInTheWay({ earlier }: Scene, { exclusive, fields, spec }: DesiredService, one: ObservedInstance): boolean {
  const known = one.spec === spec ? fields : earlier[one.spec];
  if (exclusive === undefined || known === undefined) return true;
  return exclusive.some((name) => known[name] !== undefined && known[name] === fields[name]);
}

/** Nothing may be started now: make the best of what runs, and leave what serves alone. */
function planHeld(work: Work, why: string): Switched {
  const { seen, service, serving, scene } = work;
  const older = serving !== undefined && serving.spec !== service.spec;
  scene.draft.note(`${service.key} ${why}${older ? "; an earlier release serves" : ""}`);
  const early = needsBridge(work) ? addEarlySwitch(work) : undefined;
  const idle = early ? !early.asked : serving?.members.some(({ routed }) => !routed);
  const switched = serving && idle ? addCheckedSwitch(work, serving, idleReason, stepsOf(early)) : early?.step;
  const after = switched === undefined ? [] : [switched];
  if (serving) {
    const left = seen.old.filter(
      (one) => one.spec !== serving.spec && !standsBy(scene, service, one) && (!one.routed || switched !== undefined),
    );
    for (const one of left) addRetire(scene.draft, one, leftoverReason, after);
  }
  // A release that was given up while an older one serves had its try: it ends, and its newest output stays.
  const tried =
    older && service.hold?.kind === "gaveUp"
      ? seen.running.filter(({ spec, health }) => spec === service.spec && health === "unhealthy")
      : [];
  const newest = [...seen.exited, ...tried].reduce<ObservedInstance | undefined>(younger, undefined);
  for (const one of tried) (one === newest ? addStop : addRetire)(scene.draft, one, why, after);
  for (const one of seen.exited) {
    if (one !== newest) addRemove(scene.draft, one, olderReason, one.routed ? after : []);
  }
  return { early: serving === undefined ? undefined : switched };
}

function younger(found: ObservedInstance | undefined, one: ObservedInstance): ObservedInstance {
  return found === undefined || one.id > found.id ? one : found;
}

/** Whether requests go where no answer comes from, or nowhere, though there is better. */
function needsBridge({ seen, service, serving }: Work): boolean {
  // The final switch does it as soon.
  if (seen.missing.length === 0 && serving?.spec === service.spec) return false;
  if (seen.exited.some(({ routed }) => routed)) return true;
  if (serving === undefined) return false;
  const routed = seen.running.filter((one) => one.routed);
  return !routed.every(isServing) || routed.length === 0;
}

interface EarlySwitch {
  readonly step: string;
  /** The spec that serves after it; undefined: none. */
  readonly to: string | undefined;
  /** All who can serve were asked for their health, so that none of them is left out for lack of knowledge. */
  readonly asked: boolean;
}

/** Switches to who serves best as things are, before anything is started: at once when somebody is known to be healthy. */
function addEarlySwitch(work: Work): EarlySwitch {
  const { scene, service, seen, serving } = work;
  const trouble = seen.all.find((one) => one.routed && !isServing(one));
  const reason = trouble ? troubleReason(trouble) : idleReason;
  if (serving === undefined) {
    return { step: scene.draft.add(switchTo(service, undefined, []), reason, []), to: undefined, asked: true };
  }
  const to = serving.spec;
  if (!serving.members.some(isHealthy)) {
    return { step: addCheckedSwitch(work, serving, reason, []), to, asked: true };
  }
  const step = scene.draft.add(switchTo(service, to, checkOf(work, serving).except), reason, []);
  return { step, to, asked: serving.members.every(isHealthy) };
}

/** Switches to all who can serve, once their health is known. */
function addCheckedSwitch(work: Work, serving: Serving, reason: string, after: readonly string[]): string {
  const { scene, service } = work;
  const check = checkOf(work, serving);
  const checked = serving.members.every(isHealthy) ? [] : [scene.draft.add(check, checkReason, [])];
  return scene.draft.add(switchTo(service, serving.spec, check.except), reason, [...checked, ...after]);
}

function switchTo({ key }: DesiredService, spec: string | undefined, except: readonly string[]): Action {
  return { kind: "switch", service: key, spec, except };
}

const checkReason = "only healthy instances get requests";
const idleReason = "it gets no requests yet";

/** A check of those who serve; the unhealthy of their spec are left aside. */
function checkOf({ seen, service }: Work, { spec, members }: Serving): Extract<Action, { kind: "check" }> {
  const except = seen.running.filter((one) => one.spec === spec && !members.includes(one)).map(({ id }) => id);
  return { kind: "check", service: service.key, spec, atLeast: members.length, except };
}

/** Old and new cannot run side by side: takes the old out of service, ends it and forgets it. Returns the last steps. */
function dropFirst(
  work: Work,
  leaving: readonly ObservedInstance[],
  stopFirst: string,
  after: readonly string[],
  bridged: boolean,
): readonly string[] {
  const { scene, service, seen } = work;
  const { draft } = scene;
  const reason = `stops first: ${stopFirst}`;
  const spec = seen.fit.some(isHealthy) ? service.spec : undefined;
  const except = spec === undefined ? [] : leaving.filter((one) => one.spec === spec).map(({ id }) => id);
  const serves = bridged || seen.all.some((one) => one.routed && !seen.fit.includes(one));
  const away = serves ? [draft.add(switchTo(service, spec, except), reason, after)] : after;
  return leaving.map((one) => addRetire(draft, one, reason, away));
}

/** Once all wanted instances are healthy they get the requests, and nobody else does. */
function addFinalSwitch(
  { scene, service, seen }: Work,
  starts: readonly string[],
  aside: readonly ObservedInstance[],
  early: EarlySwitch | undefined,
): string | undefined {
  const { key, spec, replicas } = service;
  const others = seen.all.some((one) => one.routed && !seen.fit.includes(one));
  const idle = starts.length > 0 || seen.fit.some(({ routed }) => !routed);
  if (!idle && !others) return undefined;
  const except = aside.map(({ id }) => id);
  const checked =
    starts.length > 0 || !seen.fit.every(isHealthy)
      ? [scene.draft.add({ kind: "check", service: key, spec, atLeast: replicas, except }, checkReason, starts)]
      : [];
  const old = seen.old.some((one) => one.routed || one.spec === early?.to);
  const reason = old ? "the new release takes over" : idle ? idleReason : leaveReason(seen, service);
  return scene.draft.add(switchTo(service, spec, except), reason, [...checked, ...stepsOf(early)]);
}

function leaveReason(seen: Survey, service: DesiredService): string {
  const ended = seen.exited.find(({ routed }) => routed);
  return ended ? troubleReason(ended) : surplusReason(service, seen);
}

/** Ends what is not wanted: what does not serve and is not about to at once, the rest after the switch. */
function clearAway(
  work: Work,
  leaving: readonly ObservedInstance[],
  final: string | undefined,
  early: EarlySwitch | undefined,
): void {
  const { service, serving } = work;
  for (const one of leaving) {
    if (standsBy(work.scene, work.service, one)) {
      keepStandingBy(work, one, final);
      continue;
    }
    const left = one.spec !== service.spec && one.spec !== serving?.spec;
    const useless = !one.routed && (left || one.health === "unhealthy");
    const after = useless ? stepsOf(early) : final === undefined ? [] : [final];
    addRetire(work.scene.draft, one, left && !one.routed ? leftoverReason : endReason(work, one), after);
  }
}

/** Whether it is what the service goes back to when the wanted instances do not last, which is not known yet. */
function standsBy(scene: Scene, service: DesiredService, one: ObservedInstance): boolean {
  if (one.spec !== service.fallback?.spec || one.spec === service.spec) return false;
  if (one.state !== "running" || one.health === "unhealthy" || one.unseen) return false;
  const at = settledAtMs(service, scene.instancesOf(service.key));
  return at !== undefined && at > scene.nowMs;
}

/** Its open requests may end, as if it were to stop. */
function keepStandingBy({ scene }: Work, one: ObservedInstance, final: string | undefined): void {
  if (one.drained && !one.routed && final === undefined) return;
  const after = final === undefined ? [] : [final];
  scene.draft.add({ kind: "drain", service: one.service, instance: one.id }, standingByReason, after);
}

const standingByReason = "stands by until the new release has lasted";
const leftoverReason = "left over from an earlier release";

/** Why a running instance of a wanted service ends. */
function endReason({ scene, service, seen }: Work, one: ObservedInstance): string {
  if (one.spec !== service.spec) return changeReason(scene, service, one.spec);
  return one.health === "unhealthy" ? troubleReason(one) : surplusReason(service, seen);
}

/** What has ended goes; the newest of it only after the final switch, for its output is wanted until others serve. */
function removeExited({ scene, seen }: Work, final: string | undefined, early: EarlySwitch | undefined): void {
  const newest = seen.exited.at(-1);
  const last = final === undefined ? [] : [final];
  for (const one of seen.exited) {
    if (one === newest) addRemove(scene.draft, one, "others serve in its place", last);
    else addRemove(scene.draft, one, olderReason, !one.routed ? [] : early === undefined ? last : [early.step]);
  }
}

const olderReason = "a newer one has ended";

function stepsOf(early: EarlySwitch | undefined): readonly string[] {
  return early === undefined ? [] : [early.step];
}

function readyOf(work: Work, { final, early, release = false }: Switched): Ready {
  const { seen } = work;
  const serves = seen.running.some((one) => one.routed && isHealthy(one));
  if (final !== undefined && (release || !serves)) return { kind: "after", step: final };
  if (serves) return { kind: "now" };
  if (early !== undefined) return { kind: "after", step: early };
  const asked = bestServing(seen.running.filter(isServing), work.service.spec);
  if (asked) return { kind: "unchecked", check: checkOf(work, asked) };
  return { kind: "never", why: "is not healthy" };
}
