import { join } from "node:path";
import {
  makeAgentKit,
  makeJumpHosts,
  makeLinuxCollector,
  makeLocalProbe,
  openBuiltinIngress,
  openCaddyIngress,
  openDockerImages,
  openDockerRuntime,
  openExporterDoor,
  openLocalShell,
  openPodmanImages,
  openPodmanRuntime,
  openProcessRuntime,
  openSshShell,
} from "#adapter/adapters.ts";
import { makeRedactor, type Redactor, redactedTrace } from "#base/redact.ts";
import { isDiskFull } from "#disk/sqlite-fault.ts";
import type { HubStatus } from "#wire/status.ts";
import { openEntry } from "./entry.ts";
import type { Origin } from "./event/verbs.ts";
import { type Ground, openGround } from "./ground.ts";
import { notStarted } from "./hold.ts";
import { openHouse } from "./house.ts";
import type { HubOptions } from "./hub-options.ts";
import { addLoops } from "./loops.ts";
import { openMetrics } from "./metric/verbs.ts";
import type { EnginePlace, Outside } from "./outside.ts";
import { writePresence } from "./presence.ts";
import { type Phase, requireReady } from "./readiness.ts";
import { type EngineSeat, findEngine } from "./service/engine.ts";
import type { Engine } from "./service/site.ts";
import { makeStop } from "./stop.ts";
import { openLoops, openTargets } from "./targets.ts";
import { openWatching } from "./watching.ts";

export interface Hub {
  readonly url: string;
  /** Where people find the pages. */
  readonly pageUrl: string;
  readonly ingressUrl: string;
  /** A link of one use with which the first admin chooses name and password; undefined when there is an admin. */
  readonly firstLink: string | undefined;
  status(): HubStatus;
  /** Resolves when somebody asked the hub to end (`fed down`). */
  readonly ended: Promise<void>;
  /** Keys of the services that run. */
  running(): readonly string[];
  /**
   * Stops every service, then everything else; answers the services for whose end there was no time. `reason` is for the
   * log, where nobody asked over the API.
   */
  close(reason: string): Promise<readonly string[]>;
}

/** Opens one hub on one data folder. What was opened is closed again when a later part fails. */
export async function openHub(options: HubOptions, signal: AbortSignal): Promise<Hub> {
  try {
    const redactor = makeRedactor();
    return await openAll({ ...options, trace: redactedTrace(options.trace, redactor) }, redactor, signal);
  } catch (thrown) {
    throw isDiskFull(thrown) ? notStarted(thrown, options.dataFolder) : thrown;
  }
}

async function openAll(options: HubOptions, redactor: Redactor, signal: AbortSignal): Promise<Hub> {
  await using opened = new AsyncDisposableStack();
  const ground = await openGround(options, redactor, opened);
  const { events, users, hubOrigin } = ground;
  const scheduler = openLoops(options, ground);
  const outside = makeOutside(options);
  const house = await openHouse(options, ground, outside, scheduler, opened);
  const { clock } = options;
  // What its loops work with is closed after it.
  const metrics = opened.adopt(
    openMetrics({ folder: join(options.dataFolder, "metrics"), clock, trace: options.trace }),
    (open) => open.close(),
  );
  const forwarding = openTargets(options, ground, house.vault, metrics, opened);
  const { live, agents, exporters } = openWatching(options, ground, outside, house, metrics, opened);
  opened.defer(() => scheduler.close());
  let phase: Exclude<Phase, "stopping"> = "starting";
  const ended = Promise.withResolvers<void>();
  const needs = {
    ...{ ...ground, ...house, scheduler, metrics, live, forwarding, agents, kit: outside.kit, clock },
    requireReady: () => requireReady(stop.begun ? "stopping" : phase, house.room, ground.writing),
    stop(origin: Origin) {
      stop.begin(origin, "asked to", "everything");
      ended.resolve();
    },
  };
  const { url, pageUrl, shut } = await openEntry(options, ground, needs, opened);
  const stop = makeStop({ events, control: house.control, clock, hurry: options.hurry, shut });
  await announce(options, ground, { url, ingressUrl: house.ingressUrl }, opened);
  const code = users.firstCode();
  await house.deployment.begin(signal);
  addLoops(scheduler, options, ground, house, metrics, new URL(url).host);
  live.begin();
  const followLab = () => {
    forwarding.update(house.desk.lab.document.metrics);
    void exporters.update(house.desk.lab.document.machines);
  };
  opened.defer(house.changes.listen(followLab));
  followLab();
  phase = "ready";
  const parts = opened.move();
  return {
    ...{ url, pageUrl, ingressUrl: house.ingressUrl, status: house.status, ended: ended.promise },
    firstLink: code === undefined ? undefined : `${pageUrl}/welcome#code=${code}`,
    running: () => house.control.running(),
    async close(reason) {
      // What runs in containers outlives the hub.
      stop.begin(hubOrigin(), reason, "processes");
      const left = await stop.settle();
      await Promise.race([parts.disposeAsync(), stop.outOfTime]);
      return left;
    },
  };
}

/** Says that the hub is there: to other programs by a file, to people by an event. */
async function announce(
  { dataFolder, version }: HubOptions,
  { events, hubOrigin }: Ground,
  at: { readonly url: string; readonly ingressUrl: string },
  opened: AsyncDisposableStack,
): Promise<void> {
  const { pid } = process;
  opened.adopt(await writePresence(dataFolder, { ...at, pid }), (written) => written.remove());
  events.deed(hubOrigin(), (_tx, emit) => emit("hub", { type: "hub.started", version, pid }));
}

/** The adapters, and what each of them is given. */
function makeOutside({ dataFolder, clock, trace, version, host, inherited, ingressPort: port }: HubOptions): Outside {
  const base = { clock, trace };
  const jumps = makeJumpHosts();
  const collector = makeLinuxCollector();
  return {
    ...{ collector, kit: makeAgentKit(collector), probe: makeLocalProbe(clock) },
    openHere: () => openLocalShell({ clock, environment: inherited }),
    openSsh: (machine, needs) => openSshShell(machine, { ...base, ...needs, jumps }),
    openProcesses: () => openProcessRuntime({ ...base, folder: join(dataFolder, "instances"), inherit: inherited }),
    openIngress: (tls) =>
      openBuiltinIngress({
        ...{ ...base, host, port },
        secure: { port: tls.port, certificates: async () => tls.certificates() },
      }),
    openEngine: (named, place, signal) =>
      findEngine({ ...place, named, at: (seat) => engineAt(base, place, seat) }, signal),
    openCaddy(document, shell, certificates) {
      const { admin = "http://127.0.0.1:2019", httpPort = 80, httpsPort = 443, email, directory } = document;
      return openCaddyIngress({
        ...{ ...base, shell, admin, listen: { http: `:${httpPort}`, https: `:${httpsPort}` } },
        certificates: async () => certificates(),
        acme: { email, directory },
      });
    },
    openExporterDoor: () => openExporterDoor({ clock, version }),
  };
}

function engineAt(
  base: Pick<HubOptions, "clock" | "trace">,
  { shell, local }: EnginePlace,
  { kind, path }: EngineSeat,
): Engine {
  const dial = (signal: AbortSignal) => shell.forward({ kind: "socket", path }, signal);
  const options = { ...base, socket: local ? ({ kind: "unix", path } as const) : ({ kind: "dial", dial } as const) };
  return kind === "docker"
    ? { runtime: openDockerRuntime(options), images: openDockerImages(options) }
    : { runtime: openPodmanRuntime(options), images: openPodmanImages(options) };
}
