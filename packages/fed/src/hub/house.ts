import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { makeNotice, type Notice } from "#base/notice.ts";
import type { Shell } from "#port/shell.ts";
import type { Progress } from "#wire/progress.ts";
import { type Certificates, openCertificates } from "./certificate/verbs.ts";
import { openDeployment } from "./deployment.ts";
import { type Desk, openDesk } from "./desk.ts";
import { makeMachineGates, ownTlsPort, serviceUrl } from "./gates.ts";
import type { Ground } from "./ground.ts";
import { makeProgressChannel } from "./http.ts";
import type { HubOptions } from "./hub-options.ts";
import { openKeptLogs } from "./log/verbs.ts";
import { type MakeLogin, makeLogin } from "./machine/login.ts";
import { type Machines, openMachines } from "./machine/verbs.ts";
import type { Outside } from "./outside.ts";
import { registerOwnMetrics } from "./own-metrics.ts";
import { carryImage } from "./release/carry.ts";
import { makeRoomWatch } from "./room.ts";
import type { Scheduler } from "./scheduler.ts";
import { openKeyFiles } from "./secret/key-file.ts";
import { openVault } from "./secret/verbs.ts";
import { certificatesOf, placeOf } from "./secured.ts";
import type { WantedService } from "./service/wanted.ts";
import { statusOf } from "./status.ts";
import { openTrust, type Trust } from "./trust/verbs.ts";
import { urlOf } from "./url.ts";

/** For requests under way through the ingress. */
const ingressCloseMs = 5_000;
const ingressHurriedMs = 500;

/** The lab and what it is made real with. */
export async function openHouse(
  options: HubOptions,
  ground: Ground,
  outside: Outside,
  { follow }: Scheduler,
  opened: AsyncDisposableStack,
) {
  const { dataFolder, clock, trace } = options;
  const { db, events, redactor } = ground;
  const processes = opened.adopt(await outside.openProcesses(), (open) => open.close());
  const certificates = openCertificates({
    ...{ events, clock, origin: ground.hubOrigin },
    named: (place) => certificatesOf(desk.lab.document, desk.lab.folder, place),
  });
  const ownTls = {
    port: () => ownTlsPort(desk.lab.document, options.ingressPort),
    certificates: () => certificates.given(""),
  };
  const ingress = opened.adopt(await outside.openIngress(ownTls), (open) =>
    open.close({ deadlineMs: options.hurry.aborted ? ingressHurriedMs : ingressCloseMs }),
  );
  const changes: Notice = makeNotice();
  const watched = { db, events, clock, trace, onChange: changes.send };
  const vault = await openVault({
    ...{ ...watched, redactor, files: openKeyFiles(dataFolder, trace), given: options.keys },
    folder: join(dataFolder, "secrets"),
  });
  const trust = opened.adopt(openTrust(watched), (open) => open.close());
  const progress = makeProgressChannel();
  opened.defer(changes.listen(options.onChange));
  const ingressUrl = urlOf(options.host, ingress.address.port);
  const logs = openKeptLogs({ db, clock, folder: join(dataFolder, "logs"), redactor });
  const deployment = openDeployment({
    ...{ db, events, processes, ingress, probe: outside.probe, clock, trace, dataFolder, logs, redactor },
    ...{ secrets: vault.values, carry: carryImage, inherited: options.inherited, follow, onChange: changes.send },
    here: opened.adopt(outside.openHere(), (shell) => shell.close()),
    urlOf: (service) =>
      serviceUrl(servedAs(service, desk, certificates), documentOf(service.machine)?.ingress, {
        http: ingress.address.port,
        https: ingress.secureAddress?.port,
      }),
    lookOwn: () => certificates.look(""),
    onProgress: (one) => progress.send(one),
    isMachine: (name) => machines.fleet.has(name),
    openShell: (name) => openShell(name),
    openEngine: (machine, way, inner) => outside.openEngine(documentOf(machine)?.engine, { machine, ...way }, inner),
    gateOf: (machine) => gates.of(machine),
  });
  opened.defer(() => deployment.close());
  const { control, releases } = deployment;
  const machines = openMachines({
    ...{ db, events, clock, onChange: changes.send },
    hostKeyOf: (machine) => trust.offeredBy(machine),
    servicesOn: (machine) => control.services().flatMap((one) => (one.machine === machine ? [one.key] : [])),
  });
  const documentOf = (name: string) => machines.fleet.get(name)?.document;
  const login = makeLogin({ ...options, vault, labFolder: () => desk.lab.folder, documentOf });
  const openShell = (name: string) => openShellOf(outside, { machines, trust, login }, name);
  const gates = makeMachineGates({
    ingressOf: (machine) => documentOf(machine)?.ingress,
    openShell: (machine) => openShell(machine).shell,
    openCaddy: (document, shell, machine) => outside.openCaddy(document, shell, () => certificates.given(machine)),
    look: (machine) => certificates.look(machine),
  });
  opened.defer(() => gates.close());
  const desk = opened.adopt(
    openDesk({
      ...{ events, clock, trace, makeCorrelation: ground.makeCorrelation, onChange: changes.send },
      ...{ first: options.lab, watch: options.watch },
      partsOf: (lab, origin) => [machines.prepare(lab.document), ...deployment.partsOf(lab, origin)],
    }),
    (open) => open.close(),
  );
  const room = openRoom(options, ground, { changes, desk, deployment });
  const parts = { desk, control, releases, room, writing: ground.writing, vault, certificates, ingressUrl };
  const status = () => redactor.redactIn(statusOf(parts));
  const own = { version: options.version, db, status, lastEvent: () => events.last };
  opened.adopt(registerOwnMetrics(ground.meter, own), (open) => open.close());
  const read = (inner: AbortSignal): AsyncIterable<Progress> => progress.read(inner);
  return {
    ...{ deployment, control, releases, logs, vault, trust, machines, desk, openShell },
    ...{ room, status, changes, certificates, ingressUrl, progress: read },
  };
}

export type House = Awaited<ReturnType<typeof openHouse>>;

/** A name that no given certificate is for goes without TLS. */
function servedAs(
  { machine, route, tls }: Pick<WantedService, "machine" | "route" | "tls">,
  { lab }: Pick<Desk, "lab">,
  certificates: Pick<Certificates, "covers">,
) {
  const lacks = tls === "given" && !certificates.covers(placeOf(lab.document, machine), route?.toLowerCase() ?? "");
  return { route, tls: lacks ? undefined : tls };
}

function openRoom(
  { clock, trace, dataFolder, watch }: HubOptions,
  { db, events, hubOrigin }: Ground,
  { changes, desk, deployment }: Pick<House, "changes" | "desk" | "deployment">,
) {
  return makeRoomWatch({
    ...{ db, events, clock, folder: dataFolder, origin: hubOrigin },
    onFull() {
      trace.error("the disk is full: what runs goes on, wishes are refused until there is room", {
        folder: dataFolder,
      });
      changes.send();
    },
    onRoom() {
      if (watch) desk.look();
      // What was given up for want of room is tried again.
      deployment.retry(hubOrigin());
      changes.send();
    },
  });
}

/** What it takes to get to machines. */
interface Ways {
  readonly machines: Pick<Machines, "fleet">;
  readonly trust: Trust;
  readonly login: MakeLogin;
}

/** A way of its own to a machine of the fleet; each is closed by who opened it. */
function openShellOf(
  outside: Pick<Outside, "openHere" | "openSsh">,
  { machines, trust, login }: Ways,
  name: string,
): { readonly shell: Shell; readonly local: boolean } {
  const mode = machines.fleet.get(name)?.mode;
  if (mode === "local") return { shell: outside.openHere(), local: true };
  if (mode === "push") throw new Fault("unsupported", `${name} reports by itself, and the hub cannot log in to it`);
  const shell = outside.openSsh(name, {
    ...{ checkHostKey: trust.checkHostKey, knownHostKeys: trust.knownHostKeys },
    login: async () => {
      const document = machines.fleet.get(name)?.document;
      if (document) return login(document, name);
      throw new Fault("missing", `the fleet has no machine ${name} any more`);
    },
  });
  return { shell, local: false };
}
