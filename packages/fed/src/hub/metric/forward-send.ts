import { type Clock, withDeadline } from "#base/clock.ts";
import { isFault } from "#base/fault.ts";
import { isSendable, judge, type Verdict, withoutLogin } from "./forward.ts";

export interface Sender {
  /** One request of remote write 1.0; never throws but for its signal. */
  send(body: Uint8Array<ArrayBuffer>, authorization: string | undefined, signal: AbortSignal): Promise<Verdict>;
}

const timeoutMs = 30_000;
const mostAnswerBytes = 2_048;
const unsendable =
  "its token has letters that no header may have, such as a line's end. Set the secret again without them.";

export function makeSender(url: string, needs: { readonly clock: Clock; readonly version: string }): Sender {
  const { clock } = needs;
  const headers = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
    "user-agent": `fed/${needs.version}`,
  };
  return {
    async send(body, authorization, signal) {
      const auth = authorization === undefined ? {} : { authorization };
      // What `fetch` says of such a header has the secret in it.
      if (!isSendable(authorization ?? "")) return { kind: "closed", reason: unsendable };
      try {
        return await withDeadline(
          clock,
          timeoutMs,
          "its answer",
          async (inner) => {
            const init = { method: "POST", body, redirect: "manual", signal: inner } as const;
            const response = await fetch(url, { ...init, headers: { ...headers, ...auth } });
            const text = withoutLogin(await readSome(response), authorization);
            return judge(
              { status: response.status, retryAfter: response.headers.get("retry-after"), text },
              clock.nowMs(),
            );
          },
          signal,
        );
      } catch (thrown) {
        signal.throwIfAborted();
        return { kind: "later", reason: withoutLogin(reasonOf(thrown), authorization) };
      }
    },
  };
}

/** The begin of an answer; the rest is left. */
async function readSome(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < mostAnswerBytes) {
    const { value, done } = await reader.read();
    if (done) return Buffer.concat(parts).toString();
    parts.push(value);
    bytes += value.length;
  }
  await reader.cancel();
  return Buffer.concat(parts).subarray(0, mostAnswerBytes).toString();
}

/** `fetch` says "fetch failed", and what it was in its cause. */
function reasonOf(thrown: unknown): string {
  if (isFault(thrown)) return thrown.message;
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!(cause instanceof Error)) return "it cannot be reached";
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  return `it cannot be reached: ${cause.message || code}`;
}
