import { type EventData, eventShape, eventTypes, type FedEvent } from "@fed/fed/wire/event.ts";
import { expect, test } from "vitest";
import { actorText, eventSentence, eventTone, instanceText, subjectText } from "./event.ts";
import { tones } from "./tone.ts";

const base = { sequence: 7, atMs: 1_800_000_060_000, actor: "user:ada", correlation: "c1", hash: "ab" };

/** At least one example of each type, and what is read. */
const examples: readonly (readonly [subject: string, data: EventData, sentence: RegExp])[] = [
  ["hub", { type: "hub.started", version: "0.1.0", pid: 42 }, /^The hub started: version 0\.1\.0, process 42\.$/],
  ["hub", { type: "hub.stopping", reason: "asked to by a signal" }, /^The hub stops: asked to by a signal\.$/],
  [
    "hub",
    { type: "hub.leftRunning", services: "dev/db" },
    /no time to wait for dev\/db: .+ taken over by the next one\.$/,
  ],
  ["hub", { type: "hub.diskFull", sinceMs: 1_800_000_000_000, refused: 1 }, /full for 1 min; 1 deed was refused\.$/],
  ["hub", { type: "log.trimmed", upTo: 1200, events: 1200, head: "ab" }, /^1,200 old events up to number 1200/],
  ["hub", { type: "loop.failed", loop: "check", reason: "no answer." }, /^The loop check failed: no answer\.$/],
  ["hub", { type: "loop.recovered", loop: "check" }, /^The loop check works again\.$/],
  [
    "hub",
    { type: "metric.deletionAsked", selectors: ["up", "x"] },
    /^Samples of up and x were to be deleted, for good\.$/,
  ],
  ["remoteWrite:far", { type: "remoteWrite.failed", reason: "no answer" }, /sent on to far, they wait: no answer\.$/],
  ["remoteWrite:far", { type: "remoteWrite.recovered" }, /^Samples are sent on to far again\.$/],
  ["remoteWrite:far", { type: "remoteWrite.dropped", samples: 1200 }, /^1,200 samples that waited for far/],
  ["user:bob", { type: "user.added", role: "viewer" }, /^bob was added as viewer\.$/],
  ["user:bob", { type: "user.enrolled", purpose: "invite", role: "viewer" }, /^bob chose a password \(an invitation\)/],
  ["user:bob", { type: "user.disabled" }, /^bob was disabled/],
  ["user:bob", { type: "user.enabled" }, /^bob may sign in again/],
  ["user:bob", { type: "user.roleChanged", from: "viewer", to: "admin" }, /^bob is now admin, was viewer\.$/],
  ["user:bob", { type: "user.passwordChanged", sessionsEnded: 2 }, /2 other sessions ended\.$/],
  [
    "user:bob",
    { type: "user.linkMade", purpose: "reset", expiresMs: 0 },
    /made for bob \(a reset\), good until \d{4}-/,
  ],
  [
    "hub",
    { type: "user.linkMade", purpose: "first", expiresMs: 0 },
    /^A link for the first account was made, good until/,
  ],
  ["user:bob", { type: "session.opened", session: "s", kind: "client", address: "::1" }, /with a program from ::1\.$/],
  ["user:bob", { type: "session.ended", session: "s", reason: "signed out" }, /of bob ended: signed out\.$/],
  [
    "user:bob",
    { type: "session.refused", reason: "wrong", address: "::1", failures: 3 },
    /3 failures in a row: wrong\.$/,
  ],
  [
    "user:?",
    { type: "session.refused", reason: "wrong", address: "::1", failures: 1 },
    /with a name that nobody has from/,
  ],
  ["user:bob", { type: "session.replayed", session: "s", address: "::1" }, /somebody has a copy/],
  [
    "user:bob",
    { type: "access.refused", endpoint: "POST /x", reason: "too low", address: "::1" },
    /^ada was refused POST/,
  ],
  ["token:t1", { type: "token.created", token: "t1", name: "ci", role: "operator" }, /token ci was made.*for ever\.$/],
  ["token:t1", { type: "token.revoked", token: "t1", name: "ci" }, /token ci was revoked/],
  ["machine:n1", { type: "machine.added", kind: "workstation" }, /^The workstation n1 is new in the fleet/],
  ["machine:n1", { type: "machine.removed" }, /n1 left the fleet/],
  [
    "machine:n1",
    { type: "machine.changed", from: "online", to: "offline", reason: "no answer" },
    /online to offline: no answer\.$/,
  ],
  ["machine:n1", { type: "machine.enrolled", mode: "ssh", address: "10.0.0.5" }, /into the fleet, at 10\.0\.0\.5\.$/],
  ["machine:n1", { type: "machine.enrolled", mode: "push", address: "" }, /n1 was taken into the fleet\.$/],
  ["machine:n1", { type: "machine.maintenanceBegan", reason: "new fan" }, /maintenance of n1 began: new fan\.$/],
  ["machine:n1", { type: "machine.maintenanceEnded", reason: "" }, /maintenance of n1 ended\.$/],
  [
    "machine:n1",
    { type: "machine.keyTrusted", keyType: "ssh-ed25519", fingerprint: "SHA256:a", first: true },
    /^First contact with n1: it is known by SHA256:a\.$/,
  ],
  [
    "machine:n1",
    { type: "machine.keyTrusted", keyType: "ssh-ed25519", fingerprint: "SHA256:b", first: false },
    /^Accepted the new key of n1/,
  ],
  [
    "machine:n1",
    { type: "machine.keyChanged", keyType: "ssh-ed25519", fingerprint: "SHA256:b", known: "SHA256:a" },
    /^n1 shows another key \(SHA256:b\) .+ until somebody accepts the key\.$/,
  ],
  ["machine:n1", { type: "machine.joinAllowed", expiresMs: 0 }, /n1 can join, once\.$/],
  ["machine:n1", { type: "machine.joined", address: "10.0.0.5" }, /n1 joined by itself, from 10\.0\.0\.5\.$/],
  [
    "machine:n1",
    { type: "machine.joinRefused", reason: "the token was used", address: "10.0.0.5" },
    /from 10\.0\.0\.5 that called itself n1 was refused: the token was used\.$/,
  ],
  [
    "hub",
    { type: "machine.joinRefused", reason: "no such token", address: "10.0.0.5" },
    /^Something at 10\.0\.0\.5 tried to join/,
  ],
  ["machine:n1", { type: "machine.ticksLost", ticks: 12 }, /lost the oldest 12 of its ticks\.$/],
  ["credential:n1/ssh-key", { type: "credential.set" }, /credential n1\/ssh-key was put into the vault\.$/],
  ["credential:ssh-key", { type: "credential.removed" }, /credential ssh-key was taken out of the vault\.$/],
  ["vault", { type: "key.rotated", from: "key_a", to: "key_b", secrets: 1 }, /new master key: 1 secret sealed anew\.$/],
  ["vault", { type: "key.lost", id: "key_a", reason: "it is not there" }, /^The vault is locked: it is not there\.$/],
  ["vault", { type: "key.restored", id: "key_a", secrets: 2 }, /key_a is back: 2 secrets can be opened again\.$/],
  [
    "vault",
    { type: "key.startedOver", from: "key_a", to: "key_b", kept: 2 },
    /2 secrets cannot be opened without that\.$/,
  ],
  ["vault", { type: "key.shown", id: "key_a" }, /recovery sheet of the master key key_a was printed\.$/],
  ["lab", { type: "lab.accepted", name: "ocean", hash: "ab", file: "/l.ts" }, /^The lab ocean was read/],
  ["lab", { type: "lab.rejected", file: "/l.ts", errors: 2, first: "port twice" }, /2 errors.*stays: port twice\.$/],
  [
    "service:dev/api",
    { type: "instance.started", instance: "i1", spec: "ab", replica: 0 },
    /^dev\/api got a new instance i1/,
  ],
  ["service:dev/api", { type: "instance.adopted", instance: "i1", spec: "ab" }, /kept its instance i1/],
  [
    "service:dev/api",
    { type: "instance.exited", instance: "i1", exit: "exit code 1" },
    /ended by itself: exit code 1\.$/,
  ],
  ["service:dev/api", { type: "instance.stopped", instance: "i1" }, /i1 of dev\/api was stopped\.$/],
  ["service:dev/api", { type: "instance.healthy", instance: "i1" }, /i1 of dev\/api is healthy\.$/],
  [
    "service:dev/api",
    { type: "instance.unhealthy", instance: "i1", reason: "" },
    /not healthy: no reason was given\.$/,
  ],
  [
    "service:dev/api",
    { type: "certificate.failed", host: "a.lan", reason: "no file", served: false },
    /^a\.lan is served without TLS: no file\.$/,
  ],
  [
    "service:dev/api",
    { type: "certificate.failed", host: "a.lan", reason: "no file", served: true },
    /stays the one from before: no file\.$/,
  ],
  ["service:dev/api", { type: "certificate.ending", host: "a.lan", endsMs: 0 }, /of a\.lan has ended\.$/],
  ["service:dev/api", { type: "certificate.ending", host: "a.lan", endsMs: 2 ** 42 }, /of a\.lan ends on 2109-/],
  ["service:dev/api", { type: "certificate.good", host: "a.lan" }, /well with the certificate of a\.lan\.$/],
  [
    "service:dev/api",
    { type: "service.switched", spec: "0123456789ab", targets: 2 },
    /to 2 instances of version 01234567\.$/,
  ],
  ["service:dev/api", { type: "service.switched", targets: 0 }, /gets no requests any more\.$/],
  ["service:dev/api", { type: "service.failed", reason: "no port" }, /could not be made as wanted: no port\.$/],
  [
    "service:dev/api",
    { type: "service.gaveUp", crashes: 8, last: "exit code 1" },
    /given up after 8 failures; the last: exit code 1\.$/,
  ],
  ["secret:prod/TOKEN", { type: "secret.set", version: 3 }, /^The secret prod\/TOKEN has a new value, version 3;/],
  ["secret:TOKEN", { type: "secret.removed" }, /^The value of the secret TOKEN was removed;/],
  ["service:dev/api", { type: "service.restartAsked", generation: 2 }, /is to be restarted/],
  ["service:dev/api", { type: "service.stopAsked" }, /is to stop until it is started again\.$/],
  ["service:dev/api", { type: "service.startAsked" }, /is to run again\.$/],
  ["service:dev/api", { type: "service.scaled", replicas: 2 }, /2 replicas, until the lab says another number\.$/],
  ["service:dev/api", { type: "service.scaled" }, /as many replicas as the lab says\.$/],
  ["service:dev/api", { type: "service.destroyed", volumes: [] }, /fed kept no data for it\.$/],
  ["service:dev/api", { type: "service.destroyed", volumes: ["data"] }, /with it its data: data\.$/],
  ["service:dev/api", { type: "rollout.began", rollout: "r", cause: "apply" }, /what the lab says now\.$/],
  ["service:dev/api", { type: "rollout.began", rollout: "r", cause: "deploy" }, /is deployed anew\.$/],
  ["service:dev/api", { type: "rollout.began", rollout: "r", cause: "restart" }, /new instances replace the old/],
  ["service:dev/api", { type: "rollout.began", rollout: "r", cause: "rollback", number: 2 }, /back to release 2\.$/],
  ["service:dev/api", { type: "rollout.began", rollout: "r", cause: "promote", from: "test" }, /serves in test\.$/],
  [
    "service:dev/api",
    { type: "rollout.done", rollout: "r", number: 3, tookMs: 2_000, reason: "" },
    /^Release 3 of dev\/api serves, after 2 s\.$/,
  ],
  [
    "service:dev/api",
    { type: "rollout.done", rollout: "r", number: 3, tookMs: 2, reason: "release 3 is the same" },
    /^Nothing was to be done for dev\/api: release 3 is the same\.$/,
  ],
  [
    "service:dev/api",
    { type: "rollout.failed", rollout: "r", number: 4, backTo: 3, reason: "exit code 1" },
    /^Release 4 of dev\/api failed, release 3 stays: exit code 1\.$/,
  ],
  ["service:dev/api", { type: "rollout.failed", rollout: "r", reason: "no image" }, /^The next release .* failed: no/],
  [
    "service:dev/api",
    { type: "rollout.cancelled", rollout: "r", number: 4, backTo: 3, reason: "somebody cancelled it" },
    /was given up, release 3 stays: somebody cancelled it\.$/,
  ],
  [
    "service:dev/api",
    { type: "release.made", release: "r", number: 4, spec: "ab" },
    /^Release 4 of dev\/api was made\.$/,
  ],
  [
    "service:dev/api",
    { type: "release.made", release: "r", number: 4, spec: "ab", image: "sha256:1", commit: "0123456789ab" },
    /made from commit 01234567\.$/,
  ],
  ["service:dev/api", { type: "release.pruned", number: 1 }, /^Release 1 of dev\/api is too old/],
];

function eventOf(subject: string, { type, ...data }: EventData): FedEvent {
  return eventShape.parse({ ...base, subject, type, data });
}

test.each(examples)("%s %o", (subject, data, sentence) => {
  const event = eventOf(subject, data);
  expect(eventSentence(event)).toMatch(sentence);
  expect(eventSentence(event)).toMatch(/[^.]\.$/);
  expect(tones).toContain(eventTone(event));
});

test("every type has an example", () => {
  expect([...new Set(examples.map(([, { type }]) => type))].sort()).toEqual([...eventTypes].sort());
});

test("what this page does not know, of a newer hub or left by one, is shown as it is", () => {
  const strange = { ...base, subject: "machine:n1", type: "machine.shook", data: { magnitude: 3.5 } };
  expect(eventSentence(strange)).toBe('machine.shook, which this page has no words for: {"magnitude":3.5}');
  expect(eventTone(strange)).toBe("info");
  const changed = { ...base, subject: "machine:n1", type: "machine.changed", data: { to: "moved" } };
  expect(eventSentence(changed)).toBe('machine.changed, which this page has no words for: {"to":"moved"}');
  expect(eventTone(changed)).toBe("info");
});

test("nothing in a reason turns the words around it or hides them", () => {
  const event = { type: "machine.maintenanceBegan", reason: "a\u202e<b>\u0007\nc" } as const;
  expect(eventSentence(eventOf("machine:n1", event))).toBe("The maintenance of n1 began: a\\u202e<b>\\u0007 c.");
});

test("a machine's change is as good as where it went", () => {
  const went = (to: "online" | "degraded" | "away" | "offline") =>
    eventTone(eventOf("machine:n1", { type: "machine.changed", from: "unknown", to, reason: "" }));
  expect([went("online"), went("degraded"), went("away"), went("offline")]).toEqual(["good", "warn", "idle", "bad"]);
});

test.each([
  ["user:ada", "ada"],
  ["token:ci", "token ci"],
  ["token:ci/tok_01hq5x9c2k7d3f8mqa", "token ci (f8mqa)"],
  ["token:a/b/tok_01hq5x9c2k7d3f8mqb", "token a/b (f8mqb)"],
  ["hub", "the hub"],
  ["file", "the lab file"],
  ["local", "the hub’s own machine"],
  ["nobody", "somebody not signed in"],
  ["machine:n1", "the machine n1"],
  ["someone:else", "someone:else"],
])("the actor %s is %s", (actor, words) => {
  expect(actorText(actor)).toBe(words);
});

test("an instance is shown by the letters that tell it apart", () => {
  expect(["ins_01hq5x9c2k7d3f8mqa", "i1"].map(instanceText)).toEqual(["f8mqa", "i1"]);
});

test("a subject is shown without its kind", () => {
  expect(["service:dev/api", "hub", "user:a:b"].map(subjectText)).toEqual(["dev/api", "hub", "a:b"]);
});
