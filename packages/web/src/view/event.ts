import { type AnyEvent, type EventType, type FedEvent, knownEvent } from "@fed/fed/wire/event.ts";
import type { MachineState } from "@fed/fed/wire/machine.ts";
import { countText, durationText, momentText, plainText } from "./format.ts";
import type { Tone } from "./tone.ts";
import { unreachable } from "./unreachable.ts";

type Purpose = Extract<FedEvent, { type: "user.enrolled" }>["data"]["purpose"];

/** Who did it, in words: `ada`, `token ci (k3f9q)`, `the hub`. */
export function actorText(actor: string): string {
  if (actor.startsWith("user:")) return actor.slice("user:".length);
  if (actor.startsWith("token:")) return tokenText(actor.slice("token:".length));
  if (actor === "hub") return "the hub";
  if (actor === "file") return "the lab file";
  if (actor === "nobody") return "somebody not signed in";
  if (actor === "local") return "the hub’s own machine";
  if (actor.startsWith("machine:")) return `the machine ${actor.slice("machine:".length)}`;
  return actor;
}

/** The last letters of the id tell apart what has one name. */
function tokenText(token: string): string {
  const [, name = token, id = ""] = /^(.*)\/tok_(\w+)$/s.exec(token) ?? [];
  return id === "" ? `token ${name}` : `token ${name} (${id.slice(-5)})`;
}

/** What it is about, without its kind: `dev/api` of `service:dev/api`. */
export function subjectText(subject: string): string {
  return subject.slice(subject.indexOf(":") + 1);
}

/** What happened, as a sentence that stands alone beside the actor and the time. */
export function eventSentence(event: AnyEvent): string {
  const known = knownEvent(event);
  const text = known
    ? knownSentence(known)
    : `${event.type}, which this page has no words for: ${JSON.stringify(event.data)}`;
  // Reasons are what people and machines say: nothing of it may hide or turn around the words beside it.
  return plainText(text.replaceAll(/\s+/g, " "));
}

function knownSentence(event: FedEvent): string {
  const name = subjectText(event.subject);
  switch (event.type) {
    case "hub.started":
      return `The hub started: version ${event.data.version}, process ${event.data.pid}.`;
    case "hub.stopping":
      return `The hub stops: ${sentenceEnd(event.data.reason)}`;
    case "hub.leftRunning":
      return `The hub had no time to wait for ${event.data.services}: what runs on is taken over by the next one.`;
    case "hub.diskFull":
      return `The disk was full for ${durationText(event.atMs - event.data.sinceMs)}; ${countText(event.data.refused, "deed was", "deeds were")} refused.`;
    case "log.trimmed":
      return `${countText(event.data.events, "old event")} up to number ${event.data.upTo} made room for new ones.`;
    case "loop.failed":
      return `The loop ${event.data.loop} failed: ${sentenceEnd(event.data.reason)}`;
    case "loop.recovered":
      return `The loop ${event.data.loop} works again.`;
    case "user.added":
    case "user.enrolled":
    case "user.disabled":
    case "user.enabled":
    case "user.roleChanged":
    case "user.passwordChanged":
    case "user.linkMade":
      return userSentence(event, name);
    case "session.opened":
    case "session.ended":
    case "session.refused":
    case "session.replayed":
    case "access.refused":
    case "token.created":
    case "token.revoked":
      return accessSentence(event, name);
    case "machine.added":
    case "machine.removed":
    case "machine.changed":
    case "machine.enrolled":
    case "machine.maintenanceBegan":
    case "machine.maintenanceEnded":
    case "machine.keyTrusted":
    case "machine.keyChanged":
    case "machine.joinAllowed":
    case "machine.joined":
    case "machine.joinRefused":
    case "machine.ticksLost":
      return machineSentence(event, name);
    case "credential.set":
      return `The credential ${name} was put into the vault.`;
    case "credential.removed":
      return `The credential ${name} was taken out of the vault.`;
    case "secret.set":
      return `The secret ${name} has a new value, version ${event.data.version}; a new release gets it.`;
    case "secret.removed":
      return `The value of the secret ${name} was removed; releases that are kept still have it.`;
    case "key.rotated":
      return `The vault has a new master key: ${countText(event.data.secrets, "secret")} sealed anew.`;
    case "key.lost":
      return `The vault is locked${because(event.data.reason)}`;
    case "key.restored":
      return `The master key ${event.data.id} is back: ${countText(event.data.secrets, "secret")} can be opened again.`;
    case "key.startedOver":
      return `The vault has a new master key in the place of the lost one: ${countText(event.data.kept, "secret")} cannot be opened without that.`;
    case "key.shown":
      return `The recovery sheet of the master key ${event.data.id} was printed.`;
    case "metric.deletionAsked":
      return `Samples of ${event.data.selectors.join(" and ")} were to be deleted, for good.`;
    case "remoteWrite.failed":
      return `Samples cannot be sent on to ${name}, they wait: ${sentenceEnd(event.data.reason)}`;
    case "remoteWrite.recovered":
      return `Samples are sent on to ${name} again.`;
    case "remoteWrite.dropped":
      return `${countText(event.data.samples, "sample")} that waited for ${name} made room for newer ones.`;
    case "lab.accepted":
      return `The lab ${event.data.name} was read from its file and is now what is wanted.`;
    case "lab.rejected":
      return `The lab file has ${countText(event.data.errors, "error")}, the lab before it stays: ${sentenceEnd(event.data.first)}`;
    case "instance.started":
    case "instance.adopted":
    case "instance.exited":
    case "instance.stopped":
    case "instance.healthy":
    case "instance.unhealthy":
    case "certificate.failed":
    case "certificate.ending":
    case "certificate.good":
    case "service.switched":
    case "service.failed":
    case "service.gaveUp":
    case "service.restartAsked":
    case "service.stopAsked":
    case "service.startAsked":
    case "service.scaled":
    case "service.destroyed":
      return serviceSentence(event, name);
    case "rollout.began":
    case "rollout.done":
    case "rollout.failed":
    case "rollout.cancelled":
    case "release.made":
    case "release.pruned":
      return releaseSentence(event, name);
    default:
      return unreachable(event);
  }
}

type OfNoun<N extends string> = Extract<FedEvent, { readonly type: `${N}.${string}` }>;

function userSentence(event: OfNoun<"user">, name: string): string {
  switch (event.type) {
    case "user.added":
      return `${name} was added as ${event.data.role}.`;
    case "user.enrolled":
      return `${name} chose a password (${purposeText(event.data.purpose)}) and is ${event.data.role}.`;
    case "user.disabled":
      return `${name} was disabled and may sign in no more.`;
    case "user.enabled":
      return `${name} may sign in again.`;
    case "user.roleChanged":
      return `${name} is now ${event.data.to}, was ${event.data.from}.`;
    case "user.passwordChanged":
      return `${name} changed the password; ${countText(event.data.sessionsEnded, "other session")} ended.`;
    case "user.linkMade":
      if (event.data.purpose === "first")
        return `A link for the first account was made, good until ${momentText(event.data.expiresMs)}.`;
      return `A link to choose a password was made for ${name} (${purposeText(event.data.purpose)}), good until ${momentText(event.data.expiresMs)}.`;
    default:
      return unreachable(event);
  }
}

function accessSentence(event: OfNoun<"session" | "access" | "token">, name: string): string {
  switch (event.type) {
    case "session.opened":
      return `${name} signed in with a ${event.data.kind === "browser" ? "browser" : "program"} from ${event.data.address}.`;
    case "session.ended":
      return `A session of ${name} ended: ${sentenceEnd(event.data.reason)}`;
    case "session.refused":
      return `Signing in ${name === "?" ? "with a name that nobody has" : `as ${name}`} from ${event.data.address} was refused, ${countText(event.data.failures, "failure")} in a row: ${sentenceEnd(event.data.reason)}`;
    case "session.replayed":
      return `A used-up refresh token of ${name} was shown again from ${event.data.address}: somebody has a copy, so the session was ended.`;
    case "access.refused":
      return `${actorText(event.actor)} was refused ${event.data.endpoint} from ${event.data.address}: ${sentenceEnd(event.data.reason)}`;
    case "token.created": {
      const until = event.data.expiresMs === undefined ? "for ever" : `until ${momentText(event.data.expiresMs)}`;
      return `The API token ${event.data.name} was made, with the role ${event.data.role}, good ${until}.`;
    }
    case "token.revoked":
      return `The API token ${event.data.name} was revoked and works no more.`;
    default:
      return unreachable(event);
  }
}

function serviceSentence(event: OfNoun<"instance" | "service" | "certificate">, name: string): string {
  switch (event.type) {
    case "instance.started":
      return `${name} got a new instance ${instanceText(event.data.instance)}, replica ${event.data.replica}.`;
    case "instance.adopted":
      return `${name} kept its instance ${instanceText(event.data.instance)}, which was already running.`;
    case "instance.exited":
      return `The instance ${instanceText(event.data.instance)} of ${name} ended by itself: ${sentenceEnd(event.data.exit)}`;
    case "instance.stopped":
      return `The instance ${instanceText(event.data.instance)} of ${name} was stopped.`;
    case "instance.healthy":
      return `The instance ${instanceText(event.data.instance)} of ${name} is healthy.`;
    case "instance.unhealthy":
      return `The instance ${instanceText(event.data.instance)} of ${name} is not healthy: ${sentenceEnd(event.data.reason)}`;
    case "certificate.failed":
      return event.data.served
        ? `The certificate of ${event.data.host} stays the one from before: ${sentenceEnd(event.data.reason)}`
        : `${event.data.host} is served without TLS: ${sentenceEnd(event.data.reason)}`;
    case "certificate.ending":
      return event.data.endsMs <= event.atMs
        ? `The certificate of ${event.data.host} has ended.`
        : `The certificate of ${event.data.host} ends on ${momentText(event.data.endsMs)}.`;
    case "certificate.good":
      return `All is well with the certificate of ${event.data.host}.`;
    case "service.switched":
      return event.data.targets === 0
        ? `${name} gets no requests any more.`
        : `Requests for ${name} now go to ${countText(event.data.targets, "instance")}${event.data.spec === undefined ? "" : ` of version ${shortHash(event.data.spec)}`}.`;
    case "service.failed":
      return `${name} could not be made as wanted: ${sentenceEnd(event.data.reason)}`;
    case "service.gaveUp":
      return `${name} was given up after ${countText(event.data.crashes, "failure")}; the last: ${sentenceEnd(event.data.last)}`;
    case "service.restartAsked":
      return `${name} is to be restarted: new instances replace the old ones.`;
    case "service.stopAsked":
      return `${name} is to stop until it is started again.`;
    case "service.startAsked":
      return `${name} is to run again.`;
    case "service.destroyed":
      return event.data.volumes.length === 0
        ? `${name} was ended for good; fed kept no data for it.`
        : `${name} was ended for good, and with it its data: ${event.data.volumes.join(", ")}.`;
    case "service.scaled":
      return event.data.replicas === undefined
        ? `${name} is to have as many replicas as the lab says.`
        : `${name} is to have ${countText(event.data.replicas, "replica")}, until the lab says another number.`;
    default:
      return unreachable(event);
  }
}

function releaseSentence(event: OfNoun<"release" | "rollout">, name: string): string {
  switch (event.type) {
    case "rollout.began":
      return began(event.data, name);
    case "rollout.done":
      return event.data.reason === ""
        ? `Release ${event.data.number ?? "?"} of ${name} serves, after ${durationText(event.data.tookMs)}.`
        : `Nothing was to be done for ${name}: ${sentenceEnd(event.data.reason)}`;
    case "rollout.failed":
      return `${releaseText(event.data.number)} of ${name} failed${stays(event.data.backTo)}: ${sentenceEnd(event.data.reason)}`;
    case "rollout.cancelled":
      return `${releaseText(event.data.number)} of ${name} was given up${stays(event.data.backTo)}: ${sentenceEnd(event.data.reason)}`;
    case "release.made":
      return `Release ${event.data.number} of ${name} was made${event.data.commit === undefined ? "" : ` from commit ${shortHash(event.data.commit)}`}.`;
    case "release.pruned":
      return `Release ${event.data.number} of ${name} is too old to go back to and was removed.`;
    default:
      return unreachable(event);
  }
}

function began({ cause, number, from }: Extract<FedEvent, { type: "rollout.began" }>["data"], name: string): string {
  if (number !== undefined) return `${name} goes back to release ${number}.`;
  if (from !== undefined) return `${name} gets what serves in ${from}.`;
  if (cause === "restart") return `${name} is to be restarted: new instances replace the old ones.`;
  return cause === "apply" ? `${name} is to become what the lab says now.` : `${name} is deployed anew.`;
}

function releaseText(number: number | undefined): string {
  return number === undefined ? "The next release" : `Release ${number}`;
}

function stays(backTo: number | undefined): string {
  return backTo === undefined ? "" : `, release ${backTo} stays`;
}

const purposes: Readonly<Record<Purpose, string>> = {
  first: "the first account",
  invite: "an invitation",
  reset: "a reset",
  rescue: "a rescue on the hub’s machine",
};

function purposeText(purpose: Purpose): string {
  return purposes[purpose];
}

/** The first letters of a hash are enough to compare by. */
function shortHash(hash: string): string {
  return hash.slice(0, 8);
}

/** The last letters of an instance's id, which tell it apart; the first ones are only the time. */
export function instanceText(id: string): string {
  return id.startsWith("ins_") ? id.slice(-5) : id;
}

/** With exactly one point at its end. */
function sentenceEnd(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "no reason was given.";
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function because(reason: string): string {
  return reason === "" ? "." : `: ${sentenceEnd(reason)}`;
}

function machineSentence(event: Extract<FedEvent, { readonly type: `machine.${string}` }>, name: string): string {
  switch (event.type) {
    case "machine.added":
      return `The ${event.data.kind} ${name} is new in the fleet.`;
    case "machine.removed":
      return `The machine ${name} left the fleet.`;
    case "machine.changed":
      return `The machine ${name} went from ${event.data.from} to ${event.data.to}${because(event.data.reason)}`;
    case "machine.enrolled":
      return `The machine ${name} was taken into the fleet${event.data.address === "" ? "" : `, at ${event.data.address}`}.`;
    case "machine.maintenanceBegan":
      return `The maintenance of ${name} began${because(event.data.reason)}`;
    case "machine.maintenanceEnded":
      return `The maintenance of ${name} ended${because(event.data.reason)}`;
    case "machine.keyTrusted":
      return `${event.data.first ? "First contact with" : "Accepted the new key of"} ${name}: it is known by ${event.data.fingerprint}.`;
    case "machine.keyChanged":
      return `${name} shows another key (${event.data.fingerprint}) than the one it is known by: the hub does not log in to it until somebody accepts the key.`;
    case "machine.joinAllowed":
      return `A token was made with which ${name} can join, once.`;
    case "machine.joined":
      return `The machine ${name} joined by itself, from ${event.data.address}.`;
    case "machine.joinRefused":
      return name === "hub"
        ? `Something at ${event.data.address} tried to join and was refused${because(event.data.reason)}`
        : `Something from ${event.data.address} that called itself ${name} was refused${because(event.data.reason)}`;
    case "machine.ticksLost":
      return `${name} could not reach the hub for so long that it lost the oldest ${event.data.ticks} of its ticks.`;
    default:
      return unreachable(event);
  }
}

/** How much an event asks for attention. */
export function eventTone(any: AnyEvent): Tone {
  const event = knownEvent(any);
  if (event === undefined) return "info";
  if (event.type === "machine.changed") {
    return stateTones[event.data.to];
  }
  return typeTones[event.type];
}

const stateTones: Readonly<Record<MachineState, Tone>> = {
  ...{ online: "good", degraded: "warn", offline: "bad", away: "idle", unknown: "idle" },
};

const typeTones: Readonly<Record<EventType, Tone>> = {
  "hub.started": "info",
  "hub.stopping": "idle",
  "hub.leftRunning": "warn",
  "hub.diskFull": "bad",
  "log.trimmed": "idle",
  "loop.failed": "bad",
  "loop.recovered": "good",
  "metric.deletionAsked": "warn",
  "remoteWrite.failed": "warn",
  "remoteWrite.recovered": "good",
  "remoteWrite.dropped": "bad",
  "user.added": "info",
  "user.enrolled": "info",
  "user.disabled": "warn",
  "user.enabled": "info",
  "user.roleChanged": "info",
  "user.passwordChanged": "info",
  "user.linkMade": "info",
  "session.opened": "idle",
  "session.ended": "idle",
  "session.refused": "warn",
  "session.replayed": "bad",
  "access.refused": "warn",
  "token.created": "info",
  "token.revoked": "idle",
  "machine.added": "info",
  "machine.removed": "idle",
  "machine.changed": "info",
  "machine.enrolled": "info",
  "machine.maintenanceBegan": "info",
  "machine.maintenanceEnded": "info",
  "machine.keyTrusted": "info",
  "machine.keyChanged": "bad",
  "machine.joinAllowed": "info",
  "machine.joined": "good",
  "machine.joinRefused": "warn",
  "machine.ticksLost": "warn",
  "credential.set": "info",
  "credential.removed": "warn",
  "secret.set": "info",
  "secret.removed": "warn",
  "key.rotated": "info",
  "key.lost": "bad",
  "key.restored": "good",
  "key.startedOver": "warn",
  "key.shown": "warn",
  "lab.accepted": "info",
  "lab.rejected": "bad",
  "instance.started": "idle",
  "instance.adopted": "idle",
  "instance.exited": "warn",
  "instance.stopped": "idle",
  "instance.healthy": "good",
  "instance.unhealthy": "warn",
  "certificate.failed": "bad",
  "certificate.ending": "warn",
  "certificate.good": "good",
  "service.switched": "idle",
  "service.failed": "bad",
  "service.gaveUp": "bad",
  "service.restartAsked": "info",
  "service.stopAsked": "warn",
  "service.startAsked": "info",
  "service.scaled": "info",
  "service.destroyed": "warn",
  "rollout.began": "info",
  "rollout.done": "good",
  "rollout.failed": "bad",
  "rollout.cancelled": "warn",
  "release.made": "idle",
  "release.pruned": "idle",
};
