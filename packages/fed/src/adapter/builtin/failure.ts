import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import { limit } from "./limit.ts";
import type { Upstream } from "./upstream.ts";

/** An error with the code the system or the library gives it. */
export type CodedError = Error & { readonly code?: string };

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens on its port: connection refused",
  EHOSTUNREACH: "Its machine cannot be reached",
  ENETUNREACH: "Its machine cannot be reached",
  ENOTFOUND: "Its machine's name is not known",
  UND_ERR_CONNECT_TIMEOUT: `Its machine did not take the connection within ${limit.connectMs / 1000} s`,
  UND_ERR_HEADERS_TIMEOUT: `No answer came within ${limit.answerHeadMs / 1000} s`,
  UND_ERR_SOCKET: "It closed the connection before it answered",
  ECONNRESET: "It closed the connection before it answered",
  EPIPE: "It closed the connection before it answered",
};

/** What went wrong with an instance, in words for a page. */
export function failureWords({ code = "", message }: CodedError): string {
  return words[code] ?? `The connection to it failed (${code || message})`;
}

/** Notes in the diary that an instance failed, once a second at most. */
export function noteFailure(
  { clock, trace }: { readonly clock: Clock; readonly trace: Trace },
  service: string,
  upstream: Upstream,
  { code = "", message }: CodedError,
): void {
  const now = clock.tickMs();
  if (now < upstream.quietUntilMs) return;
  upstream.quietUntilMs = now + limit.quietMs;
  trace.warn("an instance gave no answer", { service, instance: upstream.target.instance, error: code || message });
}
