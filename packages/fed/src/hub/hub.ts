import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  makeAgentKit,
  makeJumpHosts,
  makeLinuxCollector,
  makeLocalProbe,
  openBuiltinIngress,
  openExporterDoor,
  openLocalShell,
  openProcessRuntime,
  openSshShell,
} from "#adapter/adapters.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import { makeMeter } from "#base/meter.ts";
import { makeNotice, type Notice } from "#base/notice.ts";
import type { Trace } from "#base/trace.ts";
import { ensureFolder } from "#disk/folder.ts";
import { isDiskFull } from "#disk/sqlite-fault.ts";
import { api } from "#wire/api.ts";
import type { MachineState } from "#wire/machine.ts";
import type { Progress } from "#wire/progress.ts";
import type { HubStatus } from "#wire/status.ts";
import { openAgents } from "./agent/verbs.ts";
import { openControl as openDatabase } from "./db/db.ts";
import { checkLoop } from "./db/loop.ts";
import { makeWriting } from "./db/writing.ts";
import { type FirstLab, openDesk } from "./desk.ts";
import { trimLoop } from "./event/loop.ts";
import { openEventLog } from "./event/verbs.ts";
import { type Exporters, openExporters } from "./exporter/verbs.ts";
import { holdFolder, notStarted } from "./hold.ts";
import { type HttpNeeds, makeHandlers, makeProgressChannel } from "./http.ts";
import { readKey } from "./key.ts";
import { type LiveFleet, openLiveFleet } from "./machine/fleet.ts";
import { makeLogin, type OwnLogin } from "./machine/login.ts";
import { maintenanceLoop } from "./machine/loop.ts";
import { isAt } from "./machine/member.ts";
import { openMachines } from "./machine/verbs.ts";
import { eventOfTurn, type Forwarding, openForwarding } from "./metric/forward-verbs.ts";
import { maintainLoop, ownMetricsLoop } from "./metric/loop.ts";
import { type Metrics, openMetrics } from "./metric/verbs.ts";
import { meterRequests, registerOwnMetrics } from "./own-metrics.ts";
import { forgetPresence, writePresence } from "./presence.ts";
import { type Phase, requireReady } from "./readiness.ts";
import { makeRoomWatch, roomLoop } from "./room.ts";
import { openScheduler, type Scheduler } from "./scheduler.ts";
import { openKeyFiles } from "./secret/key-file.ts";
import { type GivenKeys, openVault, readSecret } from "./secret/verbs.ts";
import { serve } from "./serve/serve.ts";
import { openControl } from "./service/control.ts";
import { statusOf } from "./status.ts";
import { makeStop } from "./stop.ts";
import { openTrust } from "./trust/verbs.ts";
import { pageUrlOf, urlOf } from "./url.ts";
import { sweepLoop } from "./user/loop.ts";
import { openUsers } from "./user/verbs.ts";

export interface HubOptions {
  readonly dataFolder: string;
  readonly lab: FirstLab;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly ingressPort: number;
  /** Take edits of the lab's files as they come; otherwise only `apply` does. */
  readonly watch: boolean;
  readonly version: string;
  /** Folder of the built pages; undefined: the port serves the API only. */
  readonly pages: string | undefined;
  /** Variables every service inherits. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Master keys of the vault, in place of a file. */
  readonly keys: GivenKeys;
  /** Who logs in to machines where the lab does not say. */
  readonly own: OwnLogin;
  /** Aborts when the machine goes down: the hub is gone within five seconds, whatever still runs. */
  readonly hurry: AbortSignal;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Something people see may have changed. */
  onChange(): void;
}

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

/** For requests under way through the ingress. */
const ingressCloseMs = 5_000;
const ingressHurriedMs = 500;

/** Opens one hub on one data folder. What was opened is closed again when a later part fails. */
export async function openHub(options: HubOptions, signal: AbortSignal): Promise<Hub> {
  try {
    return await openAll(options, signal);
  } catch (thrown) {
    throw isDiskFull(thrown) ? notStarted(thrown, options.dataFolder) : thrown;
  }
}

async function openAll(options: HubOptions, signal: AbortSignal): Promise<Hub> {
  await using opened = new AsyncDisposableStack();
  const ground = await openGround(options, opened);
  const { events, users, hubOrigin } = ground;
  const scheduler = openLoops(options, ground);
  const house = await openHouse(options, ground, scheduler, opened);
  const { control, status } = house;
  const ended = Promise.withResolvers<void>();
  // What its loops work with is closed after it.
  const metrics = opened.adopt(
    openMetrics({ folder: join(options.dataFolder, "metrics"), clock: options.clock, trace: options.trace }),
    (open) => open.close(),
  );
  const forwarding = openTargets(options, ground, metrics, opened);
  const live = openLive(options, house, metrics, opened);
  const pushing = openPush(options, ground, house, live, opened);
  const exporters = openScraping(options, house, metrics, live, opened);
  opened.defer(() => scheduler.close());
  let phase: Exclude<Phase, "stopping"> = "starting";
  const door = await openDoor(
    options,
    ground,
    {
      ...{ ...ground, ...house, scheduler, metrics, live, forwarding, ...pushing, clock: options.clock },
      requireReady: () => requireReady(stop.begun ? "stopping" : phase, house.room, ground.writing),
      stop(origin) {
        stop.begin(origin, "asked to");
        ended.resolve();
      },
    },
    opened,
  );
  const stop = makeStop({ ...{ events, control, clock: options.clock, hurry: options.hurry }, shut: door.shut });
  const presence = { url: door.url, ingressUrl: house.ingressUrl, pid: process.pid };
  opened.adopt(await writePresence(options.dataFolder, presence), (written) => written.remove());
  events.deed(hubOrigin(), (_tx, emit) =>
    emit("hub", { type: "hub.started", version: options.version, pid: process.pid }),
  );
  const code = users.firstCode();
  await control.begin(signal);
  const loops = [
    ...[maintenanceLoop(house.machines), sweepLoop(users), trimLoop(events, hubOrigin), roomLoop(house.room)],
    ownMetricsLoop({
      ...{ metrics, clock: options.clock, instance: new URL(door.url).host },
      render: () => ground.meter.render(),
    }),
    maintainLoop(metrics),
    checkLoop(
      ground.db.path,
      () => options.clock.nowMs(),
      (fault) => {
        ground.writing.stop(fault, options.clock.nowMs());
        house.changes.send();
      },
    ),
  ];
  for (const loop of loops) scheduler.add(loop);
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
    ...{ url: door.url, pageUrl: door.pageUrl, ingressUrl: house.ingressUrl },
    firstLink: code === undefined ? undefined : `${door.pageUrl}/welcome#code=${code}`,
    status,
    ended: ended.promise,
    running: () => control.running(),
    async close(reason) {
      stop.begin(hubOrigin(), reason);
      const left = await stop.settle();
      await Promise.race([parts.disposeAsync(), stop.outOfTime]);
      return left;
    },
  };
}

/** What everything else stands on: the folder, the database, the log, who may come in. */
async function openGround(options: HubOptions, opened: AsyncDisposableStack) {
  const { dataFolder, clock, trace } = options;
  await ensureFolder(dataFolder);
  opened.adopt(holdFolder(dataFolder), (lock) => lock.close());
  await forgetPresence(dataFolder);
  const writing = makeWriting(opened.adopt(openDatabase(dataFolder), (open) => open.close()));
  const { db } = writing;
  const [localToken, signingKey] = await Promise.all([
    readKey(join(dataFolder, "token")),
    readKey(join(dataFolder, "signing.key")),
  ]);
  const events = opened.adopt(openEventLog({ db, clock, trace }), (log) => log.close());
  const users = openUsers({ db, events, clock, trace, signingKey: Buffer.from(signingKey, "base64url"), localToken });
  const makeCorrelation = () => makeId("cor", { nowMs: () => clock.nowMs(), random: cryptoRandom });
  const hubOrigin = () => ({ actor: "hub", correlation: makeCorrelation() });
  return { db, writing, events, users, meter: makeMeter(), makeCorrelation, hubOrigin };
}

type Ground = Awaited<ReturnType<typeof openGround>>;

/** The lab and what it is made real with. */
async function openHouse(options: HubOptions, ground: Ground, { follow }: Scheduler, opened: AsyncDisposableStack) {
  const { dataFolder, clock, trace, host } = options;
  const { db, writing, events, makeCorrelation, meter } = ground;
  const { runtime, ingress } = await openParts(options, opened);
  const probe = makeLocalProbe(clock);
  const changes: Notice = makeNotice();
  const watched = { db, events, clock, trace, onChange: changes.send };
  const vault = await openVault({ ...watched, files: openKeyFiles(dataFolder, trace), given: options.keys });
  const trust = opened.adopt(openTrust(watched), (open) => open.close());
  const progress = makeProgressChannel();
  opened.defer(changes.listen(options.onChange));
  const ingressUrl = urlOf(host, ingress.address.port);
  const control = openControl({
    ...{ db, events, runtime, ingress, probe, clock, trace, dataFolder },
    inherited: options.inherited,
    urlOf: (name) => `http://${name}:${ingress.address.port}`,
    onProgress: (one) => progress.send(one),
    follow,
    onChange: changes.send,
  });
  opened.defer(() => control.close());
  const machines = openMachines({
    ...{ db, events, clock },
    hostKeyOf: (machine) => trust.offeredBy(machine),
    servicesOn: (machine) => control.services().flatMap((one) => (one.machine === machine ? [one.key] : [])),
    onChange: changes.send,
  });
  const desk = opened.adopt(
    openDesk({
      ...{ events, clock, trace, makeCorrelation },
      first: options.lab,
      watch: options.watch,
      partsOf: (lab, origin) => [control.prepare(lab, origin), machines.prepare(lab.document)],
      onChange: changes.send,
    }),
    (open) => open.close(),
  );
  const room = makeRoomWatch({
    ...{ db, events, clock, folder: dataFolder, origin: ground.hubOrigin },
    onFull() {
      trace.error("the disk is full: what runs goes on, wishes are refused until there is room", {
        folder: dataFolder,
      });
      changes.send();
    },
    onRoom() {
      if (options.watch) desk.look();
      // What was given up for want of room is tried again.
      control.forgive();
      changes.send();
    },
  });
  const status = () => statusOf({ desk, control, room, writing, vault, ingressUrl });
  const own = { version: options.version, db, status, lastEvent: () => events.last };
  opened.adopt(registerOwnMetrics(meter, own), (open) => open.close());
  const read = (inner: AbortSignal): AsyncIterable<Progress> => progress.read(inner);
  const collector = makeLinuxCollector();
  return {
    ...{ runtime, control, collector, vault, trust, machines, desk },
    ...{ room, status, changes, ingressUrl, progress: read },
  };
}

type House = Awaited<ReturnType<typeof openHouse>>;

/** Who is sent what the hub measures. */
function openTargets(options: HubOptions, ground: Ground, metrics: Metrics, opened: AsyncDisposableStack): Forwarding {
  const { dataFolder, clock, trace, version } = options;
  const forwarding = openForwarding({
    ...{ clock, trace, version, meter: ground.meter },
    outbox: () => metrics.outbox(),
    readSecret: (name) => readSecret(dataFolder, name),
    turned(target, turn) {
      ground.events.note(ground.hubOrigin(), `remoteWrite:${target}`, eventOfTurn(turn));
    },
  });
  return opened.adopt(forwarding, (open) => open.close());
}

/** Who keeps asking the machines. */
function openLive(
  { clock, trace, inherited, own }: HubOptions,
  { machines, vault, trust, desk, collector }: House,
  metrics: Metrics,
  opened: AsyncDisposableStack,
): LiveFleet {
  const documentOf = (name: string) => machines.fleet.get(name)?.document;
  const login = makeLogin({ own, vault, trace, labFolder: () => desk.lab.folder, documentOf });
  const jumps = makeJumpHosts();
  const live = openLiveFleet({
    ...{ machines, clock, trace, collector },
    keep: (batch, machine, age) => metrics[age === "old" ? "backfill" : "append"](batch, `machine:${machine}`),
    openShell(name, { mode }) {
      if (mode === "local") return openLocalShell({ clock, environment: inherited });
      return openSshShell(name, {
        ...{ clock, trace, jumps, checkHostKey: trust.checkHostKey, knownHostKeys: trust.knownHostKeys },
        login: async () => {
          const document = documentOf(name);
          if (document) return login(document, name);
          throw new Fault("missing", `the fleet has no machine ${name} any more`);
        },
      });
    },
    makeMark: () => randomBytes(12).toString("hex"),
  });
  return opened.adopt(live, (open) => open.close());
}

/** The machines that report by themselves. */
function openPush(
  { clock, trace }: HubOptions,
  { db, events }: Ground,
  { machines, collector }: House,
  live: LiveFleet,
  opened: AsyncDisposableStack,
) {
  const kit = makeAgentKit(collector);
  const agents = openAgents({
    ...{ db, events, clock, trace, kit, collector, machines, intake: live.intake },
    paceMs: live.paceMs,
    onPace: (listener) => live.onWatch(listener),
  });
  return { kit, agents: opened.adopt(agents, (open) => open.close()) };
}

/** The exporters of the lab. */
function openScraping(
  { dataFolder, clock, trace, version }: HubOptions,
  { machines }: House,
  metrics: Metrics,
  live: LiveFleet,
  opened: AsyncDisposableStack,
): Exporters {
  const door = opened.adopt(openExporterDoor({ clock, version }), (open) => open.close());
  const exporters = openExporters({
    ...{ door, clock, trace },
    readSecret: (name) => readSecret(dataFolder, name),
    append: (batch, machine) => metrics.append(batch, `machine:${machine}`),
    note: metrics.note,
    report(target) {
      metrics.targets.report(target);
      const document = target.machine === undefined ? undefined : machines.fleet.get(target.machine)?.document;
      if (document && target.error === "" && isAt(document, target.url)) {
        live.heardElsewhere(target.machine ?? "", target.everyMs);
      }
    },
    forget: metrics.targets.forget,
    problem(machine, collector, reason) {
      machines.report(machine, {
        asked: [collector],
        failures: reason === undefined ? [] : [{ section: collector, reason }],
      });
    },
    isThere: (machine) => machines.names().includes(machine) && isThere(machines.get(machine).state),
  });
  return opened.adopt(exporters, (open) => open.close());
}

const isThere = (state: MachineState) => state === "online" || state === "degraded";

function openLoops({ clock, trace }: HubOptions, { events, meter, hubOrigin }: Ground) {
  return openScheduler({
    ...{ clock, trace, meter },
    onTurn(loop, { kind, reason }) {
      events.note(
        hubOrigin(),
        "hub",
        kind === "ok" ? { type: "loop.recovered", loop } : { type: "loop.failed", loop, reason },
      );
    },
  });
}

/** The port people and programs come in by. */
async function openDoor(
  options: HubOptions,
  { users, meter, makeCorrelation }: Ground,
  needs: Omit<HttpNeeds, "version">,
  opened: AsyncDisposableStack,
) {
  const { host, port, clock, trace, version, pages } = options;
  const { agents } = needs;
  const handlers = makeHandlers({ ...needs, version });
  const served = await serve(api, handlers, {
    ...{ host, port, clock, trace, makeCorrelation },
    identify: async (credentials) => agents.identify(credentials.bearer) ?? users.identify(credentials),
    recall: (caller) => (caller.kind === "machine" ? agents.recall(caller) : users.recall(caller)),
    checkCsrf: (caller, header) => users.checkCsrf(caller, header),
    refused: (refusal) => users.recordRefusal(refusal),
    onRequest: meterRequests(meter),
    pages,
    // Who asked for the end hears of it to the end.
    lasting: new Set(["down"]),
  });
  let shutting: Promise<void> | undefined;
  const shut = (until?: Promise<unknown>) => {
    shutting ??= served.close(until);
    return shutting;
  };
  opened.defer(() => shut());
  return { url: urlOf(host, served.port), pageUrl: pageUrlOf(host, served.port), shut };
}

/** What runs services and what leads requests to them. */
async function openParts(options: HubOptions, opened: AsyncDisposableStack) {
  const { dataFolder, clock, trace, host } = options;
  const runtime = opened.adopt(
    await openProcessRuntime({ folder: join(dataFolder, "instances"), clock, trace, inherit: options.inherited }),
    (open) => open.close(),
  );
  const ingress = opened.adopt(await openBuiltinIngress({ host, port: options.ingressPort, clock, trace }), (open) =>
    open.close({ deadlineMs: options.hurry.aborted ? ingressHurriedMs : ingressCloseMs }),
  );
  return { runtime, ingress };
}
