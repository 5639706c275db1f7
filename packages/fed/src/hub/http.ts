import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Meter } from "#base/meter.ts";
import type { Notice } from "#base/notice.ts";
import type { Plan } from "#engine/reconcile/plan.ts";
import type { AgentKit } from "#port/agent.ts";
import type { CallContext, Handlers } from "#wire/handler.ts";
import { openapiOnce } from "#wire/openapi.ts";
import type { Progress } from "#wire/progress.ts";
import type { HubStatus } from "#wire/status.ts";
import { agentHandlers } from "./agent/http.ts";
import type { Agents } from "./agent/verbs.ts";
import type { Certificates } from "./certificate/verbs.ts";
import type { Deployment } from "./deployment.ts";
import type { Desk } from "./desk.ts";
import { eventHandlers } from "./event/http.ts";
import type { EventLog, Origin } from "./event/verbs.ts";
import type { LoadedLab, RejectedLab } from "./lab/load.ts";
import type { KeptLogs } from "./log/verbs.ts";
import type { LiveFleet } from "./machine/fleet.ts";
import { machineHandlers } from "./machine/http.ts";
import type { Machines } from "./machine/verbs.ts";
import type { Forwarding } from "./metric/forward-verbs.ts";
import { metricHandlers } from "./metric/http.ts";
import { prometheusHandlers } from "./metric/prometheus.ts";
import { removeHandlers } from "./metric/remove.ts";
import type { Metrics } from "./metric/verbs.ts";
import { releaseHandlers } from "./release/http.ts";
import type { Releases } from "./release/verbs.ts";
import type { Scheduler } from "./scheduler.ts";
import { secretHandlers } from "./secret/http.ts";
import type { Vault } from "./secret/verbs.ts";
import { certificatesOf, securedNames } from "./secured.ts";
import type { Control } from "./service/control.ts";
import { serviceHandlers } from "./service/http.ts";
import { trustHandlers } from "./trust/http.ts";
import type { Trust } from "./trust/verbs.ts";
import { userHandlers } from "./user/http.ts";
import type { Users } from "./user/verbs.ts";

export interface HttpNeeds {
  readonly version: string;
  readonly control: Control;
  readonly releases: Releases;
  readonly deployment: Pick<Deployment, "preview" | "retry" | "supply">;
  readonly certificates: Pick<Certificates, "preview">;
  readonly desk: Desk;
  readonly events: EventLog;
  readonly users: Users;
  readonly vault: Vault;
  readonly logs: KeptLogs;
  readonly trust: Trust;
  readonly machines: Machines;
  readonly live: LiveFleet;
  readonly agents: Agents;
  readonly kit: AgentKit;
  readonly meter: Meter;
  readonly metrics: Metrics;
  readonly forwarding: Forwarding;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Something people see may have changed. */
  readonly changes: Notice;
  status(): HubStatus;
  /** Fault `unreachable` while the hub can take no wishes. */
  requireReady(): void;
  /** Everything the loop reports, from this call on. */
  progress(signal: AbortSignal): AsyncIterable<Progress>;
  /** From now on the hub stops everything, then itself. */
  stop(origin: Origin): void;
}

const lookAgainMs = 30_000;

/** The door of the hub: what each endpoint does. */
export function makeHandlers(needs: HttpNeeds): Handlers {
  const { control, events, users, machines, changes, meter, scheduler } = needs;
  return {
    health: () => ({ status: "ok", version: needs.version, pid: process.pid }),
    ready() {
      needs.requireReady();
      return { status: "ready" };
    },
    healthy: () => "fed is healthy.\n",
    readyAsPrometheus() {
      needs.requireReady();
      return "fed is ready.\n";
    },
    metrics: () => meter.render(),
    openapi: openapiOnce(needs.version),
    loops: () => ({ loops: [...scheduler.loops()] }),
    ...userHandlers({ users }),
    ...eventHandlers({ events, onChanged: (listener) => changes.listen(listener) }),
    ...secretHandlers({
      vault: needs.vault,
      lab: () => needs.desk.lab.document,
      onSet: (name, origin) => needs.deployment.supply(needs.desk.lab, name, origin),
    }),
    ...trustHandlers({
      trust: needs.trust,
      machine: (name) => machines.detail(name, true),
      // Who accepted the key does not wait for the machine.
      lookAgain: (name) => void needs.live.lookNow(name, AbortSignal.timeout(lookAgainMs)).catch(() => undefined),
    }),
    ...machineHandlers({ machines, live: needs.live }),
    ...agentHandlers({ agents: needs.agents, kit: needs.kit }),
    ...metricHandlers({ metrics: needs.metrics, clock: needs.clock, version: needs.version }),
    remoteWriteTargets: async () => ({ targets: [...(await needs.forwarding.list())] }),
    ...prometheusHandlers({ metrics: needs.metrics, clock: needs.clock }),
    ...removeHandlers({ metrics: needs.metrics, clock: needs.clock, events }),
    ...serviceHandlers({ control, runtime: control.sites, kept: needs.logs, byHand: needs.releases }),
    ...releaseHandlers({ releases: needs.releases }),
    status: () => needs.status(),
    plan: (_input, { signal }) => planFor(needs, needs.desk.load(signal).then(requireGood), signal),
    apply: ({ plan }, context) => apply(needs, plan, context),
    down: (_input, context) => down(needs, context),
  };
}

function requireGood(loaded: LoadedLab | RejectedLab): LoadedLab {
  if (loaded.kind === "loaded") return loaded;
  const errors = loaded.diagnostics.filter(({ severity }) => severity === "error").length;
  throw new Fault(
    "invalid",
    `${loaded.file} has ${errors} ${errors === 1 ? "error" : "errors"}; the last good lab keeps running`,
    {
      hint: "`fed check` lists them.",
      details: { diagnostics: loaded.diagnostics },
    },
  );
}

async function planFor(needs: HttpNeeds, loading: Promise<LoadedLab>, signal: AbortSignal): Promise<Plan> {
  const wanting = loading.then((loaded) => needs.deployment.preview(loaded));
  const [{ document, folder }, { services, notes = [] }, plan] = await Promise.all([
    loading,
    wanting,
    needs.control.plan(wanting, signal),
  ]);
  const lacking = await needs.certificates.preview(securedNames(document, services), (place) =>
    certificatesOf(document, folder, place),
  );
  return { ...plan, notes: [...new Set([...plan.notes, ...notes, ...needs.releases.notes(), ...lacking])] };
}

async function apply(
  needs: HttpNeeds,
  bound: { readonly desired: string; readonly observed: string } | undefined,
  { signal, correlation, actor }: CallContext,
): Promise<AsyncIterable<Progress>> {
  const check = async (loaded: LoadedLab) => {
    if (bound) await requireUnmoved(needs, loaded, bound, signal);
  };
  // Read from before it is the wish, so that nothing of what follows is missed.
  const progress = needs.progress(signal);
  requireGood(await needs.desk.take({ actor, correlation }, check, signal));
  needs.deployment.retry({ actor, correlation });
  return untilSettled(progress);
}

async function requireUnmoved(
  needs: HttpNeeds,
  loaded: LoadedLab,
  bound: { readonly desired: string; readonly observed: string },
  signal: AbortSignal,
): Promise<void> {
  const now = await planFor(needs, Promise.resolve(loaded), signal);
  const what = now.desired !== bound.desired ? "the lab" : now.observed !== bound.observed ? "what runs" : undefined;
  if (what)
    throw new Fault("conflict", `${what} has changed since the plan was made`, {
      hint: "Make a new one with `fed plan`.",
    });
}

function down(needs: HttpNeeds, { signal, actor, correlation }: CallContext): AsyncIterable<Progress> {
  const progress = needs.progress(signal);
  needs.stop({ actor, correlation });
  return untilSettled(progress);
}

async function* untilSettled(progress: AsyncIterable<Progress>): AsyncIterable<Progress> {
  for await (const one of progress) {
    yield one;
    if (one.kind === "settled") return;
  }
}

export function makeProgressChannel() {
  return makeBroadcast<Progress>(10_000);
}
