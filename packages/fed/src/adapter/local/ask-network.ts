import { request } from "node:http";
import { connect } from "node:net";
import type { Clock, Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { ProbeAddress } from "#port/probe.ts";
import { refused } from "#port/probe-limit.ts";

/** Undefined for an answer of 2xx or 3xx, else the reason in plain words. Hangs up whatever comes. */
export function askHttp({ host, port }: ProbeAddress, path: string, signal: AbortSignal): Promise<string | undefined> {
  return once<string | undefined>(signal, (settle) => {
    // An agent of its own, so that no connection is kept for later.
    const headers = { connection: "close", "user-agent": "fed-probe" };
    const asking = request({ host, port, path, agent: false, headers });
    asking.once("response", ({ statusCode = 0 }) => {
      settle(statusCode >= 200 && statusCode < 400 ? undefined : `status ${statusCode}`);
    });
    asking.once("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      settle(`status ${statusCode}`);
    });
    asking.on("error", (error) => settle(reasonOf(error, host)));
    asking.end();
    return () => asking.destroy();
  });
}

/** Undefined once a connection opens, and through a relay lasts, else why not. Hangs up whatever comes. */
export function askTcp(
  { host, port, relayMs }: ProbeAddress,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | typeof refused | undefined> {
  return once<string | typeof refused | undefined>(signal, (settle) => {
    const socket = connect({ host, port });
    let timer: Timer | undefined;
    socket.once("connect", () => {
      if (relayMs === undefined) return settle(undefined);
      timer = clock.after(relayMs, () => settle(undefined));
      socket.once("data", () => settle(undefined));
      socket.once("end", () => settle("connection closed at once: nothing listens there yet"));
    });
    socket.on("error", (error) =>
      settle("code" in error && error.code === "ECONNREFUSED" ? refused : reasonOf(error, host)),
    );
    return () => {
      timer?.cancel();
      socket.destroy();
    };
  });
}

/** Begins, and ends what was begun as soon as it has settled or the signal aborts. */
function once<T>(signal: AbortSignal, begin: (settle: (outcome: T) => void) => () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(signal.reason);
      end();
    };
    const settle = (outcome: T) => {
      signal.removeEventListener("abort", stop);
      resolve(outcome);
      end();
    };
    let end: () => void;
    try {
      end = begin(settle);
    } catch (thrown) {
      // Node's own checks of its arguments: a port or a path that is none.
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      return reject(new Fault("invalid", `cannot be probed: ${message}`, { cause: thrown }));
    }
    signal.addEventListener("abort", stop, { once: true });
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed without an answer",
  EPIPE: "connection closed without an answer",
  EHOSTUNREACH: "no way to the host",
  ENETUNREACH: "no way to the network",
  ETIMEDOUT: "no answer",
  HPE_HEADER_OVERFLOW: "the head of the answer is too long",
};

/** Undocumented codes of Node's HTTP parser begin with HPE_. */
function reasonOf(error: Error, host: string): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `host name not found: ${host}`;
  return (
    reasons[code] ??
    (code.startsWith("HPE_") ? "the answer is not HTTP" : `connection failed: ${code || error.message}`)
  );
}
