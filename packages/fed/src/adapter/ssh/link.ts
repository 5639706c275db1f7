import { createHash } from "node:crypto";
import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { SshLogin, SshNeeds } from "#port/shell.ts";
import type { Connection } from "./connect.ts";
import { keepAlive } from "./keepalive.ts";

/** The one kept-open connection to a machine: made when it is needed, made anew when it was lost, and not too often. */
export interface Link {
  /** The connection that is up. Fault of the last try, at once, when it is too early for another. */
  take(signal: AbortSignal): Promise<Connection>;
  /** The one that is up now, if any. */
  readonly current: Connection | undefined;
  close(): void;
}

export interface LinkNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly login: (signal: AbortSignal) => Promise<SshLogin>;
  /** Somebody may accept another host key while we are refused. */
  readonly known?: SshNeeds["knownHostKeys"] | undefined;
  readonly dial: (login: SshLogin, signal: AbortSignal) => Promise<Connection>;
  /** Whether what the last try failed by is settled, so that the next one need not wait. */
  readonly isSettled?: (fault: Fault) => boolean;
  /** 0 to 1. */
  readonly random?: () => number;
}

/** Until the next try: doubled with each failure. A machine that refuses us is not to take us for somebody who guesses passwords. */
const backOff = {
  unreachable: { firstMs: 1_000, lastMs: 30_000 },
  denied: { firstMs: 10_000, lastMs: 300_000 },
} as const;
/** A connection that lived shorter counts as a failure. */
const shortLifeMs = 10_000;

export function openLink(name: string, needs: LinkNeeds): Link {
  const { clock, trace, random = Math.random } = needs;
  const closing = new AbortController();
  const idOf = (login: SshLogin) => idOfWay(login, needs.known);
  const trouble = makeTrouble(clock, random, idOf);
  let current: Connection | undefined;
  let connecting: Promise<Connection> | undefined;

  async function dial(): Promise<Connection> {
    const signal = closing.signal;
    let login: SshLogin | undefined;
    try {
      login = await untilAborted(needs.login(signal), signal);
      const connection = await needs.dial(login, signal);
      if (signal.aborted) connection.end("closed");
      adopt(connection);
      return connection;
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      const fault = toFault(thrown);
      trouble.note(fault, login && idOf(login));
      trace.debug("no connection by SSH", { machine: name, code: fault.code, reason: fault.message });
      throw fault;
    } finally {
      connecting = undefined;
    }
  }

  const isSettled = async (fault: Fault, signal: AbortSignal) =>
    needs.isSettled?.(fault) === true || (await trouble.hasChanged(needs.login, signal));

  function adopt(connection: Connection): void {
    const bornMs = clock.tickMs();
    current = connection;
    trace.debug("connected by SSH", { machine: name });
    keepAlive(connection, clock);
    connection.onGone((reason) => {
      current = undefined;
      if (closing.signal.aborted) return;
      trace.debug("lost the connection by SSH", { machine: name, reason });
      const short = clock.tickMs() - bornMs < shortLifeMs;
      if (short) trouble.note(new Fault("unreachable", `the connection to ${name} was lost: ${reason}`), undefined);
      else trouble.forget();
    });
  }

  return {
    get current() {
      return current;
    },
    async take(signal) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      if (current !== undefined) return current;
      if (connecting === undefined) {
        const tooEarly = trouble.tooEarly();
        if (tooEarly !== undefined && !(await isSettled(tooEarly, signal))) throw tooEarly;
      }
      connecting ??= dial();
      return untilAborted(connecting, signal);
    },
    close() {
      closing.abort(new Fault("unreachable", `the shell of ${name} is closed`));
      current?.end("closed");
    },
  };
}

/** What went wrong lately, and until when nothing is tried. */
function makeTrouble(clock: Clock, random: () => number, idOf: (login: SshLogin) => string) {
  let failures = 0;
  let last: { readonly fault: Fault; readonly login: string | undefined; readonly untilMs: number } | undefined;
  return {
    note(fault: Fault, login: string | undefined) {
      const { firstMs, lastMs } = fault.code === "denied" ? backOff.denied : backOff.unreachable;
      const waitMs = Math.min(firstMs * 2 ** Math.min(failures++, 20), lastMs) * (0.8 + 0.4 * random());
      last = { fault, login, untilMs: clock.tickMs() + waitMs };
    },
    forget() {
      failures = 0;
      last = undefined;
    },
    /** Undefined when it is time for another try; else the last Fault, with when that will be. */
    tooEarly(): Fault | undefined {
      const leftMs = last === undefined ? 0 : last.untilMs - clock.tickMs();
      if (last === undefined || leftMs <= 0) return undefined;
      const { code, message, hint, details, cause } = last.fault;
      const when = `tried again in ${Math.ceil(leftMs / 1_000)} s`;
      return new Fault(code, `${message}; ${when}`, { hint, details, cause });
    },
    /** A machine that refused us, or that we refused, is tried again at once when we have something new to show, or accept its key. */
    async hasChanged(login: LinkNeeds["login"], signal: AbortSignal): Promise<boolean> {
      if (last?.fault.code !== "denied" || last.login === undefined) return false;
      const before = last.login;
      return idOf(await login(signal)) !== before;
    },
  };
}

/** Not the login itself: it holds secrets, and need not live on. */
function idOfWay(login: SshLogin, known: LinkNeeds["known"]): string {
  const hash = createHash("sha256").update(JSON.stringify(login));
  for (let at: SshLogin | undefined = login; at !== undefined; at = at.jump) {
    hash.update(JSON.stringify(known?.(at.machine) ?? []));
  }
  return hash.digest("base64");
}
