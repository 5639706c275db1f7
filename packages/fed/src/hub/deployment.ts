import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { Database } from "#disk/sqlite.ts";
import type { Ingress } from "#port/ingress.ts";
import type { Probe } from "#port/probe.ts";
import type { Shell } from "#port/shell.ts";
import type { Progress } from "#wire/progress.ts";
import { makeCommitOf } from "./commit.ts";
import type { EventLog, Origin } from "./event/verbs.ts";
import type { AcceptedLab } from "./lab/lab.ts";
import type { Part } from "./lab/verbs.ts";
import { openReleases, type ReleaseNeeds, type Releases } from "./release/verbs.ts";
import { type Control, type ControlOptions, openControl } from "./service/control.ts";
import type { Gate, GateLook } from "./service/routing.ts";
import type { Wanted } from "./service/wanted.ts";

export interface DeploymentNeeds
  extends Pick<
    ControlOptions,
    | "processes"
    | "openShell"
    | "openEngine"
    | "logs"
    | "redactor"
    | "inherited"
    | "dataFolder"
    | "isMachine"
    | "urlOf"
    | "follow"
  > {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly probe: Probe;
  /** The hub's own. */
  readonly ingress: Ingress;
  /** Looks at the certificates of that; it has one for each name when left out. */
  lookOwn?(): Promise<GateLook>;
  /** That of a machine, when the lab names one. */
  gateOf(machine: string): Gate | undefined;
  /** The hub's own machine. */
  readonly here: Shell;
  readonly secrets: ControlOptions["secrets"] & ReleaseNeeds["secrets"];
  readonly carry: ReleaseNeeds["prepare"]["carry"];
  onProgress(progress: Progress): void;
  onChange(): void;
}

/** Which releases there are, and the services that are made real of them: two strangers who hear of each other here. */
export interface Deployment {
  readonly control: Control;
  readonly releases: Releases;
  /** What a lab means to both. */
  partsOf(lab: AcceptedLab, origin: Origin): readonly Part[];
  /** What this lab would make wanted; writes nothing. */
  preview(lab: Pick<AcceptedLab, "document" | "folder" | "hash">): Wanted;
  /** A secret has a value now: begins what waited for it; answers the keys. */
  supply(lab: AcceptedLab, secret: string, origin: Origin): readonly string[];
  /** Tries again what was given up. */
  retry(origin: Origin): void;
  begin(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export function openDeployment(needs: DeploymentNeeds): Deployment {
  const { db, events, clock, trace, onChange } = needs;
  let accepted: AcceptedLab | undefined;
  const own = { ingress: needs.ingress, machine: undefined, ...(needs.lookOwn && { look: needs.lookOwn }) };
  const control = openControl({
    ...needs,
    gates: { own, of: (machine) => needs.gateOf(machine) ?? own },
    news: {
      serving: (key, spec) => releases.serving(key, spec),
      failed: (key, spec, failure) => releases.failed(key, spec, failure),
      arrived: (machine) => releases.arrived(machine),
    },
    graceOf: (release) => releases.byId(release)?.resolved.stopGraceMs,
    onProgress(progress) {
      releases.progress(progress);
      needs.onProgress(progress);
    },
    pending: () => releases.preparing,
  });
  const releases: Releases = openReleases({
    ...{ db, events, clock, trace, service: control, secrets: needs.secrets, onChange, onProgress: needs.onProgress },
    redact: needs.redactor.redact,
    resolve: () => (accepted === undefined ? [] : control.resolve(accepted).resolved),
    prepare: { commitOf: makeCommitOf(needs.here), carry: needs.carry },
  });
  return {
    control,
    releases,
    partsOf(lab, origin) {
      const { resolved, record } = control.resolve(lab);
      const { document, hash } = lab;
      const take = () => {
        accepted = lab;
      };
      return [{ record, take }, releases.prepare({ document, hash, resolved }, origin)];
    },
    preview: ({ document, folder, hash }) =>
      releases.preview({ document, hash, resolved: control.resolve({ document, folder }).resolved }),
    supply: (lab, secret, origin) => releases.supply(secret, control.resolve(lab).resolved, origin),
    retry(origin) {
      control.forgive();
      releases.retry(origin);
    },
    async begin(signal) {
      await control.begin(signal);
      releases.begin();
    },
    async close() {
      await releases.close();
      await control.close();
    },
  };
}
