/**
 * An ingress by a Caddy that runs already, on the hub's machine or another one. Names and doors are in Caddy's configuration, changed
 * by its admin API; who is behind them is on a switchboard that Caddy reads at each request (board.ts says why).
 */
import { randomBytes } from "node:crypto";
import { type Clock, sleep } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { DrainOutcome, GivenCertificate, Ingress, IngressRoute, IngressStatus } from "#port/ingress.ts";
import type { Shell } from "#port/shell.ts";
import { askAddresses } from "./address.ts";
import { openCaddyAdmin } from "./admin.ts";
import { type Board, emptyBoard, generationOf, readBoard, routesNow, seatsFor } from "./board.ts";
import type { Wanted } from "./config.ts";
import { makeConfigure, placeOf } from "./configure.ts";
import { openBoardFolder } from "./folder.ts";
import { limit } from "./limit.ts";
import { checkRoutes, inFlightOf, planSwitch } from "./plan.ts";
import { lookName, readLook } from "./route.ts";
import { checkCertificates } from "./tls.ts";

export interface CaddyIngressOptions {
  /** Of Caddy's machine: by it the admin API is reached and the switchboard written. */
  readonly shell: Shell;
  /** Of the admin API as seen on that machine: `http://127.0.0.1:2019` or `unix//path`. */
  readonly admin: string;
  /** Where the switchboard is to be: the shell's user must be able to write there, Caddy to read. In /run or /dev/shm, by the admin API's address, when left out. */
  readonly folder?: string | undefined;
  /** As Caddy writes addresses. `:80` and `:443` when left out. */
  readonly listen?: { readonly http: string; readonly https: string } | undefined;
  /** Those for names with TLS `given`, read anew before each switch. */
  readonly certificates?: ((signal: AbortSignal) => Promise<readonly GivenCertificate[]>) | undefined;
  readonly acme?: Wanted["acme"] | undefined;
  /** How long old servers go on beside new ones when names or doors come or go. 300 when left out. */
  readonly settleMs?: number | undefined;
  readonly clock: Clock;
  readonly trace: Trace;
}

/** Only a Caddy from 2.7 on understands this: it can keep upgraded connections while its configuration changes. */
const keepingStreams = ":1 {\n\treverse_proxy 127.0.0.1:1 {\n\t\tstream_close_delay 1h\n\t}\n}\n";

/** Connects when it is first asked for something. Nothing has to be closed: Caddy goes on as it is. */
export function openCaddyIngress(options: CaddyIngressOptions): Ingress {
  const { shell, clock, trace } = options;
  const listen = options.listen ?? { http: ":80", https: ":443" };
  const admin = openCaddyAdmin(shell, options.admin, clock);
  const configure = makeConfigure(admin, shell, clock);
  const folder = openBoardFolder(shell, options.admin, options.folder);
  let board: Board = emptyBoard;
  let isKnown = false;
  let keepsStreams: boolean | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** Reality is the state: what is on the switchboard, not what was written there once. */
  async function look(signal: AbortSignal): Promise<string> {
    const { path, files } = await folder.read(signal);
    board = readBoard(files);
    isKnown = true;
    return path;
  }

  async function switchTo(routes: readonly IngressRoute[], signal: AbortSignal): Promise<{ generation: number }> {
    signal.throwIfAborted();
    checkRoutes(routes);
    const certificates = (await options.certificates?.(signal)) ?? [];
    checkCertificates(routes, { certificates, acme: {} });
    keepsStreams ??= await admin.understands(keepingStreams, signal);
    const path = await look(signal);
    const widest = Math.max(0, ...[...board.lines.values()].map(({ settings }) => settings[0]?.seats.length ?? 0));
    const seats = Math.max(seatsFor(routes), widest);
    const plan = planSwitch(board, routes, seats, await admin.inFlight(signal));
    const { acme = {}, settleMs = 300 } = options;
    const turn = randomBytes(6).toString("hex");
    const settings = { keepsStreams, seats, listen, turn, certificates, acme, settleMs, folder: path };
    await folder.write(plan.before, [], signal);
    let holds: Awaited<ReturnType<typeof configure.towards>>;
    try {
      const isLocal = await askAddresses(shell, routes, signal);
      holds = await configure.towards({ ...settings, isLocal, routes, leaving: plan.leaving }, signal);
    } catch (thrown) {
      const written = !signal.aborted && wasRefused(thrown) ? plan.before.map((file) => file.path) : [];
      await folder.write([], written, new AbortController().signal).catch(() => {});
      throw thrown;
    }
    await folder.write(plan.switches, plan.drop, signal);
    const open = new Set(doorsOf(routes));
    const gone = doorsOf(board.routes).filter((port) => !open.has(port));
    await configure.untilClosed(gone, signal);
    board = plan.board;
    await acknowledge({ ...holds, generation: plan.generation, path }, signal);
    trace.debug("routes switched", { ingress: "caddy", generation: plan.generation, routes: routes.length });
    return { generation: plan.generation };
  }

  /** Asks Caddy itself, at its own port, which configuration answers and which switch it sees; undefined when it knows of none. */
  async function seen(
    signal: AbortSignal,
  ): Promise<{ readonly turn: string; readonly generation: number } | undefined> {
    const { status, text } = await admin.ask(placeOf(listen.http), lookName, signal);
    if (status !== 200) return undefined;
    const { turn, name } = readLook(text);
    return { turn, generation: generationOf(name) };
  }

  /** The last word of a switch is Caddy's. After a change of its configuration the old server may still take a connection or two. */
  async function acknowledge(
    wanted: { readonly turn: string; readonly isNew: boolean; readonly generation: number; readonly path: string },
    signal: AbortSignal,
  ): Promise<void> {
    let inRow = 0;
    for (let looks = 0; looks < limit.looks; looks++) {
      const found = await seen(signal);
      inRow = found?.turn === wanted.turn && found.generation === wanted.generation ? inRow + 1 : 0;
      if (inRow >= (wanted.isNew ? limit.answersInRow : 1)) return;
      if (inRow === 0) await sleep(clock, limit.lookMs / 5, signal);
    }
    throw new Fault("unsupported", `Caddy (${shell.name}) does not see its switchboard ${wanted.path}`, {
      hint: "Caddy has to be able to read this folder: where it runs in a container, mount it there under the same name.",
    });
  }

  async function drain(instance: string, deadlineMs: number, signal: AbortSignal): Promise<DrainOutcome> {
    if (!isKnown) await look(signal);
    const endMs = clock.tickMs() + deadlineMs;
    let quietSinceMs: number | undefined;
    let slowestMs = 0;
    for (;;) {
      if (routesNow(board).some(({ targets }) => targets.some((target) => target.instance === instance))) {
        throw new Fault("conflict", `instance ${instance} is still a target and cannot be drained`, {
          hint: "switch the routes first",
        });
      }
      if (!isSeated(board, instance)) return { kind: "drained" };
      const askedMs = clock.tickMs();
      const inFlight = inFlightOf(board, await admin.inFlight(signal))[instance] ?? 0;
      const nowMs = clock.tickMs();
      slowestMs = Math.max(slowestMs, nowMs - askedMs);
      if (inFlight > 0) quietSinceMs = undefined;
      else quietSinceMs ??= nowMs;
      const quietMs = Math.max(limit.quietMs, limit.quietAnswers * slowestMs);
      if (quietSinceMs !== undefined && nowMs - quietSinceMs >= quietMs) return { kind: "drained" };
      const leftMs = endMs - nowMs;
      if (leftMs <= 0) return inFlight === 0 ? { kind: "drained" } : { kind: "deadline", inFlight };
      await sleep(clock, Math.min(limit.lookMs, leftMs), signal);
    }
  }

  return {
    name: "caddy",
    features: { tcpDoors: false, webSocket: true, http2: true, tls: ["given", "internal", "acme"], cutsOff: false },
    apply(routes, signal) {
      const mine = turn.then(() => switchTo(routes, signal));
      turn = mine.catch(() => {
        // Nobody knows how far it came: the next switch begins with a look.
        keepsStreams = undefined;
        isKnown = false;
      });
      return mine;
    },
    drain,
    async status(signal): Promise<IngressStatus> {
      if (!isKnown) await look(signal);
      const inFlight = inFlightOf(board, await admin.inFlight(signal));
      // Somebody may have given Caddy another configuration, or started it anew without ours.
      const isServed = board.generation > 0 && (await seen(signal).catch(() => undefined)) !== undefined;
      return { generation: board.generation, routes: isServed ? routesNow(board) : [], inFlight };
    },
  };
}

/** Caddy has not taken the configuration. Where nobody knows, it may need what was written for it. */
function wasRefused(thrown: unknown): boolean {
  return isFault(thrown) && thrown.code !== "timeout" && thrown.code !== "unreachable";
}

function doorsOf(routes: readonly IngressRoute[]): readonly number[] {
  return routes.flatMap(({ match }) => (match.kind === "door" ? [match.port] : []));
}

function isSeated({ lines }: Board, instance: string): boolean {
  return [...lines.values()].some(({ settings }) =>
    settings.some(({ seats }) => seats.some((target) => target.instance === instance)),
  );
}
