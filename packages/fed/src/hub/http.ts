import { makeBroadcast } from "#base/broadcast.ts";
import { Fault } from "#base/fault.ts";
import type { Plan } from "#engine/reconcile/plan.ts";
import type { Runtime } from "#port/runtime.ts";
import type { Progress } from "#wire/progress.ts";
import type { HubStatus } from "#wire/status.ts";
import type { LoadedLab, RejectedLab } from "./lab/load.ts";
import type { CallContext, Handlers } from "./serve.ts";
import type { Control } from "./service/control.ts";
import { serviceLogs } from "./service/http.ts";

export interface HttpNeeds {
  readonly version: string;
  readonly control: Control;
  readonly runtime: Runtime;
  status(): HubStatus;
  /** Loads the lab file as it is on disk now. */
  load(signal: AbortSignal): Promise<LoadedLab | RejectedLab>;
  accept(loaded: LoadedLab, correlation: string): void;
  /** Everything the loop reports, from this call on. */
  progress(signal: AbortSignal): AsyncIterable<Progress>;
  /** Ends the hub once the answer is out. */
  end(): void;
}

/** The door of the hub: what each endpoint does. */
export function makeHandlers(needs: HttpNeeds): Handlers {
  const { control } = needs;
  return {
    health: () => ({ status: "ok", version: needs.version, pid: process.pid }),
    status: () => needs.status(),
    plan: async (_input, { signal }) => planFor(needs, await loadGood(needs, signal), signal),
    apply: ({ plan }, context) => apply(needs, plan, context),
    logs: (query, { signal }) => serviceLogs(control, needs.runtime, query, signal),
    down: (_input, context) => down(needs, context),
  };
}

async function loadGood(needs: HttpNeeds, signal: AbortSignal): Promise<LoadedLab> {
  const loaded = await needs.load(signal);
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

function planFor(needs: HttpNeeds, loaded: LoadedLab, signal: AbortSignal): Promise<Plan> {
  return needs.control.loop.plan(needs.control.desiredOf(loaded), signal);
}

async function* apply(
  needs: HttpNeeds,
  bound: { readonly desired: string; readonly observed: string } | undefined,
  { signal, correlation }: CallContext,
): AsyncIterable<Progress> {
  const loaded = await loadGood(needs, signal);
  if (bound) await requireUnmoved(needs, loaded, bound, signal);
  const progress = needs.progress(signal);
  needs.accept(loaded, correlation);
  needs.control.forgive();
  yield* untilSettled(progress);
}

async function requireUnmoved(
  needs: HttpNeeds,
  loaded: LoadedLab,
  bound: { readonly desired: string; readonly observed: string },
  signal: AbortSignal,
): Promise<void> {
  const now = await planFor(needs, loaded, signal);
  const what = now.desired !== bound.desired ? "the lab" : now.observed !== bound.observed ? "what runs" : undefined;
  if (what)
    throw new Fault("conflict", `${what} has changed since the plan was made`, {
      hint: "Make a new one with `fed plan`.",
    });
}

async function* down(needs: HttpNeeds, { signal }: CallContext): AsyncIterable<Progress> {
  const progress = needs.progress(signal);
  needs.control.leave();
  yield* untilSettled(progress);
  needs.end();
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
