import { hashText } from "@fed/lab";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { type Origin, openEventLog } from "#hub/event/verbs.ts";
import { keyOf, type ResolvedService } from "#hub/service/service.ts";
import type { ServicePart, Wanted } from "#hub/service/wanted.ts";
import { type FakeImages, makeFakeImages, makeFakeRegistry } from "#port/image.fake.ts";
import type { ImageStore } from "#port/image.ts";
import type { Progress } from "#wire/progress.ts";
import type { LabWish } from "./lab.ts";
import { openReleases, type ReleaseNeeds } from "./verbs.ts";

export const origin: Origin = { actor: "user:ada", correlation: "cor_1" };
export const file: Origin = { actor: "file", correlation: "cor_file" };

/** Some service as `resolveLab` would have it; the hashes follow from what is said. */
export function resolvedOf(key: string, said: Partial<ResolvedService> = {}): ResolvedService {
  const [environment = "", service = ""] = key.split("/");
  const workload = said.workload ?? { kind: "process", command: ["run"], folder: "/lab" };
  const base = {
    ...{ key: keyOf(environment, service), lab: "ocean", environment, service, machine: "hub", workload },
    ...{ variables: {}, volumes: [], port: undefined, replicas: 1, route: undefined, door: undefined },
    contract: { ask: { kind: "running" }, everyMs: 1_000, timeoutMs: 5_000, withinMs: 60_000 },
    ...{ stopGraceMs: 10_000, limits: {}, needs: [], stopFirst: undefined, unsupported: undefined },
    fields: { run: JSON.stringify(workload) },
    ...said,
  } satisfies Omit<ResolvedService, "spec" | "wish">;
  const spec = hashText(JSON.stringify(Object.entries(base.fields).sort())).slice(0, 16);
  const wish = hashText(JSON.stringify([base.fields, base.route, base.needs, base.stopGraceMs, base.machine]));
  return { ...base, spec, wish: said.wish ?? wish.slice(0, 16) };
}

/** The same with another value of a variable. */
export function withVariable(resolved: ResolvedService, text: string): ResolvedService {
  const { spec: _spec, wish: _wish, ...said } = resolved;
  return resolvedOf(resolved.key, { ...said, fields: { ...resolved.fields, "env.X": text } });
}

export const imageOf = (reference: string): ResolvedService["workload"] => ({ kind: "image", reference });

export function labOf(
  resolved: readonly ResolvedService[],
  environments: LabWish["document"]["environments"] = {},
): LabWish {
  const named = [...new Set(resolved.map(({ environment }) => environment))].map((name) => [
    name,
    { machines: ["hub"] },
  ]);
  return {
    hash: hashText(JSON.stringify(resolved)),
    document: {
      environments: { ...Object.fromEntries(named), ...environments },
      machines: { hub: { kind: "server", address: "local" }, node5: { kind: "server", address: "10.0.0.5" } },
    },
    resolved: resolved.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  };
}

/** Releases on a database of their own, with machines whose images are in memory; services do as the test says. */
export function makeReleaseScene(
  given: Partial<Omit<ReleaseNeeds, "secrets">> & { readonly secrets?: Partial<ReleaseNeeds["secrets"]> } = {},
) {
  const control = openTestControl();
  const clock = handClock();
  const trace = silentTrace;
  const events = openEventLog({ db: control.db, clock, trace });
  const types: string[] = [];
  events.listen(({ type }) => void types.push(type));
  const registry = makeFakeRegistry();
  const images: Record<string, FakeImages> = {
    hub: makeFakeImages({ registry }),
    node5: makeFakeImages({ registry }),
  };
  const away = new Set<string>();
  const running = new Set<string>();
  const wants: { readonly wanted: Wanted; readonly correlation: string }[] = [];
  const heard: Progress[] = [];
  const service: ServicePart = {
    want: (wanted, correlation) => void wants.push({ wanted, correlation }),
    runningReleases: () => running,
    unseenOn: (machine) => (away.has(machine) ? "no answer" : undefined),
    async imagesOf(machine): Promise<ImageStore> {
      if (away.has(machine)) throw new Fault("unreachable", `${machine} does not answer`);
      const found = images[machine];
      if (!found) throw new Fault("unsupported", `${machine} has no container engine`);
      return found;
    },
  };
  const { secrets, ...others } = given;
  const open = (more: Partial<ReleaseNeeds> = {}) =>
    openReleases({
      ...{ db: control.db, events, clock, trace, service },
      secrets: { forget() {}, read: async () => "", ...secrets },
      prepare: {
        commitOf: async () => "c0ffee",
        carry: async (from, to, id, _onProgress, signal) => to.load(from.save(id, {}, signal), id, signal),
      },
      redact: (text) => text.replaceAll("hunter2", "***"),
      onProgress: (progress) => void heard.push(progress),
      onChange() {},
      ...others,
      ...more,
    });
  const releases = open();
  const take = (lab: LabWish, who: Origin = file, by = releases) => {
    const part = by.prepare(lab, who);
    events.deed(who, (tx, emit) => part.record(tx, emit));
    part.take();
  };
  const wantedOf = (key: string) => wants.at(-1)?.wanted.services.find((one) => one.key === key);
  return {
    ...{ releases, open, events, clock, registry, images, away, running, wants, heard, take, wantedOf },
    db: control.db,
    /** What is wanted of this service now serves. */
    async serve(key: string) {
      releases.serving(key, wantedOf(key)?.spec ?? "");
      await clock.turn(0);
    },
    fail(key: string, reason = "exit code 1", final = false) {
      releases.failed(key, wantedOf(key)?.spec ?? "", { reason, output: "the last words", final });
    },
    /** Types of what was told of releases and rollouts, oldest first. */
    told: () => types,
    async [Symbol.asyncDispose]() {
      await releases.close();
      events.close();
      control[Symbol.dispose]();
    },
  };
}
