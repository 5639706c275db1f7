import { z } from "zod";
import { machineModes, machineStates } from "./machine.ts";
import { rolloutCauses } from "./release.ts";
import { roleShape } from "./role.ts";

const base = {
  /** 1, 2, 3, … without a gap; also the id of the event on a stream. */
  sequence: z.number().int(),
  /** Milliseconds since the epoch. */
  atMs: z.number(),
  /** Who did it: `hub`, `local`, `file`, `user:ada`, `token:ci/tok_…` (name and id). */
  actor: z.string(),
  /** What it is about: `hub`, `lab`, `service:dev/api`, `machine:node5`, `user:ada`. */
  subject: z.string(),
  /** Ties together what one deed led to. */
  correlation: z.string(),
  /** SHA-256 over this event and the hash of the one before, in hex. */
  hash: z.string(),
};

function kind<const T extends string, const D extends z.ZodRawShape>(type: T, data: D) {
  return z.object({ ...base, type: z.literal(type), data: z.object(data) });
}

const machineState = z.enum(machineStates);
const purpose = z.enum(["first", "invite", "reset", "rescue"]);

/** The one closed union of what can happen. The data of each is plain, public and small: never a secret. */
export const eventShape = z.discriminatedUnion("type", [
  kind("hub.started", { version: z.string(), pid: z.number().int() }),
  kind("hub.stopping", { reason: z.string() }),
  /** The hub had no time to wait for them: they run on, for the next one to take over. Names with commas. */
  kind("hub.leftRunning", { services: z.string() }),
  /** The disk was full: deeds were refused from `sinceMs` until now. */
  kind("hub.diskFull", { sinceMs: z.number(), refused: z.number().int() }),
  /** Events up to `upTo` were dropped by retention; `head` is the hash of the last of them. */
  kind("log.trimmed", { upTo: z.number().int(), events: z.number().int(), head: z.string() }),
  kind("loop.failed", { loop: z.string(), reason: z.string() }),
  kind("loop.recovered", { loop: z.string() }),
  kind("user.added", { role: roleShape }),
  kind("user.enrolled", { purpose, role: roleShape }),
  kind("user.disabled", {}),
  kind("user.enabled", {}),
  kind("user.roleChanged", { from: roleShape, to: roleShape }),
  kind("user.passwordChanged", { sessionsEnded: z.number().int() }),
  /** A link to choose a password was made. */
  kind("user.linkMade", { purpose, expiresMs: z.number() }),
  kind("session.opened", { session: z.string(), kind: z.enum(["browser", "client"]), address: z.string() }),
  kind("session.ended", { session: z.string(), reason: z.string() }),
  kind("session.refused", { reason: z.string(), address: z.string(), failures: z.number().int() }),
  /** An old refresh token was shown again: somebody has a copy. */
  kind("session.replayed", { session: z.string(), address: z.string() }),
  kind("access.refused", { endpoint: z.string(), reason: z.string(), address: z.string() }),
  kind("token.created", { token: z.string(), name: z.string(), role: roleShape, expiresMs: z.number().optional() }),
  kind("token.revoked", { token: z.string(), name: z.string() }),
  kind("machine.added", { kind: z.enum(["server", "workstation"]) }),
  kind("machine.removed", {}),
  kind("machine.changed", { from: machineState, to: machineState, reason: z.string() }),
  /** Its subject is the machine, as of all that follow. `mode`: how the hub learns of it. */
  kind("machine.enrolled", { mode: z.enum(machineModes), address: z.string() }),
  kind("machine.maintenanceBegan", { reason: z.string(), untilMs: z.number().optional() }),
  kind("machine.maintenanceEnded", { reason: z.string() }),
  /** It is known by this key from now on: it was the first, or somebody accepted it. */
  kind("machine.keyTrusted", { keyType: z.string(), fingerprint: z.string(), first: z.boolean() }),
  /** It shows another key than the one it is known by, and is not logged in to until somebody accepts it. */
  kind("machine.keyChanged", { keyType: z.string(), fingerprint: z.string(), known: z.string() }),
  /** A token was made with which it can join, once. */
  kind("machine.joinAllowed", { expiresMs: z.number() }),
  kind("machine.joined", { address: z.string() }),
  /** A token or a credential was shown that is not good, or not this machine's. */
  kind("machine.joinRefused", { reason: z.string(), address: z.string() }),
  /** It could not reach the hub for so long that it had no room for what it kept: the oldest ticks are lost. */
  kind("machine.ticksLost", { ticks: z.number().int() }),
  /** A credential was put into the vault or taken out; its subject is `credential:NAME` or `credential:MACHINE/NAME`. */
  kind("credential.set", {}),
  kind("credential.removed", {}),
  /** A value of one of the lab's secrets was set or taken out; its subject is `secret:NAME` or `secret:ENVIRONMENT/NAME`. */
  kind("secret.set", { version: z.number().int() }),
  kind("secret.removed", {}),
  /** The vault is sealed by another master key. */
  kind("key.rotated", { from: z.string(), to: z.string(), secrets: z.number().int() }),
  /** The master key is not there, or is another one: nothing that it sealed opens. Its subject is the vault, as of all of keys. */
  kind("key.lost", { id: z.string(), reason: z.string() }),
  /** It is back, and so is what it sealed. */
  kind("key.restored", { id: z.string(), secrets: z.number().int() }),
  /** A new key in the place of a lost one; so many secrets stay sealed by that. */
  kind("key.startedOver", { from: z.string(), to: z.string(), kept: z.number().int() }),
  /** Somebody printed the recovery sheet. */
  kind("key.shown", { id: z.string() }),
  /** Somebody asked for samples to be removed, for good: of the series that fulfil one of these, in the span or all of them. */
  kind("metric.deletionAsked", {
    selectors: z.array(z.string()),
    startMs: z.number().optional(),
    endMs: z.number().optional(),
  }),
  /** Samples cannot be sent on to a target; they wait. Its subject is `remoteWrite:longterm`. */
  kind("remoteWrite.failed", { reason: z.string() }),
  kind("remoteWrite.recovered", {}),
  /** Too many waited: the oldest were given up. */
  kind("remoteWrite.dropped", { samples: z.number().int() }),
  kind("lab.accepted", { name: z.string(), hash: z.string(), file: z.string() }),
  kind("lab.rejected", { file: z.string(), errors: z.number().int(), first: z.string() }),
  kind("instance.started", { instance: z.string(), spec: z.string(), replica: z.number().int() }),
  kind("instance.adopted", { instance: z.string(), spec: z.string() }),
  kind("instance.exited", { instance: z.string(), exit: z.string() }),
  kind("instance.stopped", { instance: z.string() }),
  kind("instance.healthy", { instance: z.string() }),
  kind("instance.unhealthy", { instance: z.string(), reason: z.string() }),
  /** The certificate that the lab gives for a host name cannot be had; `served`: the one from before goes on, else there is no TLS. */
  kind("certificate.failed", { host: z.string(), reason: z.string(), served: z.boolean() }),
  /** It ends within 14 days, or has ended. */
  kind("certificate.ending", { host: z.string(), endsMs: z.number() }),
  kind("certificate.good", { host: z.string() }),
  kind("service.switched", { spec: z.string().optional(), targets: z.number().int() }),
  kind("service.failed", { reason: z.string() }),
  kind("service.gaveUp", { crashes: z.number().int(), last: z.string() }),
  kind("service.restartAsked", { generation: z.number().int() }),
  /** Somebody wants nothing of it to run, until it is started again. */
  kind("service.stopAsked", {}),
  kind("service.startAsked", {}),
  /** So many replicas until the lab says another number; left out: as the lab says. */
  kind("service.scaled", { replicas: z.number().int().optional() }),
  /** It was ended, and these volumes of it are gone for good. */
  kind("service.destroyed", { volumes: z.array(z.string()) }),
  /** A try to make a release the serving one. `number`: of a release that is to serve again; `from`: an environment that is promoted. */
  kind("rollout.began", {
    rollout: z.string(),
    cause: z.enum(rolloutCauses),
    number: z.number().int().optional(),
    from: z.string().optional(),
  }),
  /** `image`: the id of what it is made of; left out for a process. */
  kind("release.made", {
    release: z.string(),
    number: z.number().int(),
    spec: z.string(),
    image: z.string().optional(),
    commit: z.string().optional(),
  }),
  /** It serves. `reason`: why there was nothing to do, or "". */
  kind("rollout.done", {
    rollout: z.string(),
    number: z.number().int().optional(),
    tookMs: z.number(),
    reason: z.string(),
  }),
  /** `number` is left out when there was no release yet; `backTo`: the release that serves as before. */
  kind("rollout.failed", {
    rollout: z.string(),
    number: z.number().int().optional(),
    backTo: z.number().int().optional(),
    reason: z.string(),
  }),
  kind("rollout.cancelled", {
    rollout: z.string(),
    number: z.number().int().optional(),
    backTo: z.number().int().optional(),
    reason: z.string(),
  }),
  /** Too old to go back to: it and its image are gone. */
  kind("release.pruned", { number: z.number().int() }),
]);

export type FedEvent = z.infer<typeof eventShape>;

/** An event as it stands in the log, whatever its type. */
export const rawEventShape = z.object({ ...base, type: z.string(), data: z.record(z.string(), z.unknown()) });

export type AnyEvent = z.infer<typeof rawEventShape>;

/**
 * What readers take. A newer hub tells of what this version does not know, and leaves it in the database for an older one:
 * no reason to read no further. Such an event is shown as it is.
 */
export const anyEventShape = z.union([eventShape, rawEventShape]);

/** The event, when this version knows its type and its data. */
export function knownEvent(event: AnyEvent): FedEvent | undefined {
  return eventShape.safeParse(event).data;
}

export type EventType = FedEvent["type"];

/** Every type of event. */
export const eventTypes: readonly EventType[] = eventShape.options.map((option) => option.shape.type.value);

/** What a deed says has happened: the type and its data, side by side. */
export type EventData = FedEvent extends infer E
  ? E extends { readonly type: infer T; readonly data: infer D }
    ? { readonly type: T } & (D extends Record<string, never> ? unknown : D)
    : never
  : never;

/** What is sent on the stream of events. */
export const streamItemShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("event"), event: anyEventShape }),
  /** Something people see has changed that is no event of its own: ask for the status again. */
  z.object({ kind: z.literal("changed") }),
  /** What lies between the last event the reader saw and the next one sent is no longer kept. */
  z.object({ kind: z.literal("gap"), first: z.number().int() }),
]);

export type StreamItem = z.infer<typeof streamItemShape>;

/** An event that was noted, as `SEQUENCE:HASH`. */
export const notedShape = z
  .string()
  .regex(/^\d{1,15}:[0-9a-f]{64}$/, "an event is noted as SEQUENCE:HASH, with the 64 letters of its hash");

export const verdictShape = z.discriminatedUnion("kind", [
  /**
   * Nothing between the base and the head was changed, removed or put in. Whether events were cut off at the end before
   * this hub started, or all of it was written anew, only a head shows that was noted elsewhere.
   */
  z.object({
    kind: z.literal("sound"),
    events: z.number().int(),
    first: z.number().int(),
    last: z.number().int(),
    /** Hash of the event before the first, which retention dropped; "" when none was dropped. */
    base: z.string(),
    /** Hash of the last event: with its sequence, what to note elsewhere. */
    head: z.string(),
  }),
  z.object({ kind: z.literal("broken"), sequence: z.number().int(), reason: z.string() }),
  /** Sound in itself, but the noted event is not in it (any more). */
  z.object({ kind: z.literal("parted"), sequence: z.number().int(), reason: z.string() }),
]);

export type Verdict = z.infer<typeof verdictShape>;

/** Whether this is the name of a type of event, or the beginning of some. */
export function isEventFilter(text: string): boolean {
  return eventTypes.some((type) => type === text || (text.endsWith(".") && type.startsWith(text)));
}
