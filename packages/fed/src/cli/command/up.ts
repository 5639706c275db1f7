import { isIPv6 } from "node:net";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { makeTrace } from "#base/trace.ts";
import type { FirstLab } from "#hub/desk.ts";
import type { Hub } from "#hub/hub.ts";
import { type LoadedLab, loadLab, type RejectedLab, rejectedBy } from "#hub/lab/load.ts";
import { findFault, formerLocations } from "#hub/lab/locate.ts";
import { recallLab } from "#hub/recall.ts";
import { defineCommand } from "../command.ts";
import { nearPath, showDiagnostics } from "../diagnostic.ts";
import type { Env } from "../env.ts";
import { Interrupted } from "../interrupted.ts";
import { labArg, labPath } from "../lab-path.ts";
import { isLoopback } from "../loopback.ts";
import type { Screen } from "../print.ts";
import { spareMemory } from "../spare-memory.ts";
import { statusTable } from "../status-table.ts";
import { ensureWeb } from "../web-build.ts";

/** How often the ages in the table on a terminal move on, and what a stop waits for is looked at. */
const redrawMs = 1_000;

export const command = defineCommand({
  args: labArg,
  flags: {
    data: { kind: "folder", value: "DIR", description: "Where the hub keeps its state" },
    host: { kind: "host", value: "H", default: "127.0.0.1", description: "Address to listen on" },
    port: { kind: "port", value: "N", default: 4747, description: "Port of the API; 0 takes a free one" },
    ingressPort: { kind: "port", value: "N", default: 8080, description: "Port of the ingress; 0 takes a free one" },
    noWatch: { kind: "switch", description: "Take edits on fed apply only" },
  },
  details: [
    "Starts the lab's services, waits for their health, routes requests to them, restarts what crashes,",
    "takes your edits as you save them, and stops everything on Ctrl-C.",
  ],
  examples: [
    { line: "fed up", says: "the lab of this folder, or the starter lab" },
    { line: "fed up ~/labs/ocean/lab.ts --port 0 --ingress-port 0", says: "another one, on free ports" },
  ],
  async run({ args, flags, env, screen, signal, program }) {
    const { path, from } = labPath(args, env);
    const dataFolder = flags.data ?? env.dataFolder;
    const [{ openHub }, found] = await Promise.all([
      import("#hub/hub.ts"),
      // A lab that is gone from here must not make the starter the wish in its place.
      (from === "starter" ? findGone(join(env.cwd, "lab.ts"), dataFolder) : undefined) ??
        findLab(path, dataFolder, signal),
    ]);
    const { lab, loaded } = found;
    if (loaded.printed !== "") screen.note({ text: loaded.printed.trimEnd(), style: "dim" });
    if (lab === undefined) {
      if (screen.json) screen.data({ kind: "rejected", diagnostics: loaded.diagnostics });
      showDiagnostics(screen, loaded.diagnostics, env.cwd);
      return 2;
    }
    const pages = await readyPages(env, screen, signal);
    const view = openView(screen, env.cwd);
    const hub = await openHub(
      {
        dataFolder,
        lab,
        host: flags.host,
        port: flags.port,
        ingressPort: flags.ingressPort,
        watch: !flags.noWatch,
        version: program.version,
        pages,
        inherited: env.inherited,
        keys: env.keys,
        own: env.own,
        hurry: hurryOf(signal),
        clock: systemClock,
        trace: makeTrace(Date.now, env.debug ? "debug" : "warn", ({ level, message, facts }) =>
          screen.note({
            text: `${level}: ${message} ${JSON.stringify(facts)}`,
            style: level === "info" ? "dim" : "warn",
          }),
        ),
        onChange: () => view.changed(),
      },
      signal,
    );
    spareMemory();
    const starter =
      from === "starter" && loaded.kind === "loaded" ? " (the starter; `fed init my-lab` makes your own)" : "";
    const { document, file } = lab.loaded;
    screen.note({ text: `${document.name}  ${nearPath(file, env.cwd)}${starter}`, style: "dim" });
    showWayIn(screen, hub, pages !== undefined);
    if (!isLoopback(`http://${isIPv6(flags.host) ? `[${flags.host}]` : flags.host}`)) warnOfNetwork(screen);
    view.show(hub);
    await Promise.race([hub.ended, aborted(signal)]);
    view.stopping();
    const left = await hub.close(signal.aborted ? `ended by ${whatOf(signal)}` : "asked to");
    view.end();
    if (left.length > 0) {
      screen.note({ text: `left running: ${left.join(", ")}; the next \`fed up\` takes it over`, style: "warn" });
    }
    return 0;
  },
});

type Found =
  | { readonly lab: FirstLab; readonly loaded: LoadedLab | RejectedLab }
  | { readonly lab: undefined; readonly loaded: RejectedLab };

/** The lab as its file is; when that is bad or gone, the last good one of it with what is wrong. */
async function findLab(path: string, dataFolder: string, signal: AbortSignal): Promise<Found> {
  const begunMs = Date.now();
  try {
    const loaded = await loadLab(path, { clock: systemClock }, signal);
    return loaded.kind === "loaded"
      ? { lab: { loaded, begunMs }, loaded }
      : { lab: recallLab(dataFolder, loaded), loaded };
  } catch (thrown) {
    const gone = signal.aborted ? undefined : findGone(path, dataFolder);
    if (gone === undefined) throw thrown;
    return gone;
  }
}

/** The last good lab of a file that cannot be read any more; undefined when there is none. */
function findGone(path: string, dataFolder: string): Found | undefined {
  for (const { file, folder } of formerLocations(path)) {
    const fault = findFault(file);
    const rejected = fault && rejectedBy(fault, file, folder);
    const lab = rejected && recallLab(dataFolder, rejected);
    if (lab) return { lab, loaded: rejected };
  }
  return undefined;
}

/** The built pages; without them the hub serves its API all the same. */
async function readyPages(env: Env, screen: Screen, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await ensureWeb(env, (text) => screen.note({ text, style: "dim" }), signal);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    screen.fault(thrown, env.debug);
    screen.note({ text: "going on without the dashboard", style: "warn" });
    return undefined;
  }
}

/** Where people come in: the link of the first start, or the address of the dashboard. */
function showWayIn(screen: Screen, hub: Hub, pages: boolean): void {
  if (hub.firstLink !== undefined) {
    if (screen.json) screen.data({ kind: "link", url: hub.firstLink });
    screen.line("Choose your name and password (the link works once, for 15 minutes):");
    screen.line({ text: hub.firstLink, style: "accent" });
  } else if (pages) screen.line("dashboard ", { text: hub.pageUrl, style: "accent" });
}

function warnOfNetwork(screen: Screen): void {
  screen.note({
    text: "Other machines reach this hub, and their passwords come in the clear: put a proxy with TLS or a VPN before it.",
    style: "warn",
  });
}

const whatOf = ({ reason }: AbortSignal) => (reason instanceof Interrupted ? reason.what : "its end");

/** SIGTERM means a machine that goes down, or a supervisor without patience: neither waits for slow services. */
function hurryOf(signal: AbortSignal): AbortSignal {
  const hurry = new AbortController();
  const follow = () => {
    if (whatOf(signal) === "SIGTERM") hurry.abort();
  };
  if (signal.aborted) follow();
  else signal.addEventListener("abort", follow, { once: true });
  return hurry.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The live table of a hub, the one `ready` line, and refused edits as they come. */
function openView(screen: Screen, cwd: string) {
  const live = screen.live();
  let hub: Hub | undefined;
  let ready = false;
  let toldRejection = 0;
  let toldDamage = false;
  let toldVault = "";
  let queued: NodeJS.Immediate | undefined;
  let timer: NodeJS.Timeout | undefined;

  function draw() {
    queued = undefined;
    if (!hub) return;
    const status = hub.status();
    if (status.rejected && status.rejected.atMs !== toldRejection) {
      toldRejection = status.rejected.atMs;
      if (screen.json) screen.data({ kind: "rejected", diagnostics: status.rejected.diagnostics });
      showDiagnostics(screen, status.rejected.diagnostics, cwd);
      screen.line({ text: "The edit was refused; the last good lab keeps running.", style: "warn" });
    }
    if (status.damaged && !toldDamage) {
      toldDamage = true;
      screen.note({ text: `error: ${status.damaged.message}`, style: "bad" });
      for (const text of status.damaged.hint.split("\n")) screen.note(text);
    }
    if (status.vault && status.vault.message !== toldVault) {
      toldVault = status.vault.message;
      screen.note({ text: `warning: ${status.vault.message}`, style: "warn" });
      screen.note(status.vault.hint);
    }
    live.show(statusTable(status, Date.now()));
    if (ready || !status.ready) return;
    ready = true;
    if (screen.json) screen.data({ kind: "ready", api: hub.url, ingress: hub.ingressUrl });
    screen.line({ text: `ready api=${hub.url} ingress=${hub.ingressUrl}`, style: "good" });
  }

  return {
    changed() {
      queued ??= setImmediate(draw);
    },
    show(opened: Hub) {
      hub = opened;
      draw();
      if (screen.isTerminal) timer = setInterval(draw, redrawMs);
    },
    stopping() {
      clearInterval(timer);
      live.end();
      screen.note({ text: "stopping … (Ctrl-C again leaves what still runs to the next `fed up`)", style: "dim" });
      let told = "";
      timer = setInterval(() => {
        const names = hub?.running().join(", ") ?? "";
        if (names === told || names === "") return;
        told = names;
        screen.note({ text: `waiting for ${names}: asked to end, killed when its time is over`, style: "dim" });
      }, redrawMs);
    },
    end() {
      hub = undefined;
      clearInterval(timer);
      clearImmediate(queued);
      live.end();
    },
  };
}
