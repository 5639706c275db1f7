import type { RemoteWriteDocument } from "@fed/lab";
import { parseSelector } from "#engine/promql/parse.ts";
import type { ParcelForm } from "#engine/tsdb/parcel.ts";

/** What a target's answer means for the samples it was sent. Source: Prometheus' specification of remote write 1.0. */
export type Verdict =
  | { readonly kind: "taken" }
  /** These samples it will never take. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "too large"; readonly reason: string }
  /** It has trouble of its own, or cannot be reached. */
  | { readonly kind: "later"; readonly reason: string; readonly waitMs?: number | undefined }
  /** It takes nothing from us before somebody mends something: a password, a URL. The samples wait. */
  | { readonly kind: "closed"; readonly reason: string };

const longestRetryAfterMs = 600_000;
const longestReason = 300;

export function judge(
  answer: { readonly status: number; readonly retryAfter: string | null; readonly text: string },
  nowMs: number,
): Verdict {
  const { status } = answer;
  // Letters that steer a terminal count as blanks.
  const said = answer.text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  const reason = (said === "" ? `it answers ${status}` : `it answers ${status}: ${said}`).slice(0, longestReason);
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (status === 400 || status === 422) return { kind: "refused", reason };
  if (status === 413) return { kind: "too large", reason };
  if (status === 429 || status >= 500) {
    return { kind: "later", reason, waitMs: readRetryAfter(answer.retryAfter, nowMs) };
  }
  return { kind: "closed", reason };
}

/** A text that others wrote, without what they were shown to let us in: it becomes an event and a line of the diary. */
export function withoutLogin(text: string, authorization: string | undefined): string {
  const [, scheme, shown = ""] = /^(\w+) (.*)$/s.exec(authorization ?? "") ?? [];
  if (shown === "") return text;
  const hidden = text.replaceAll(shown, "…");
  if (scheme !== "Basic") return hidden;
  const plain = Buffer.from(shown, "base64").toString();
  const password = plain.slice(plain.indexOf(":") + 1);
  return password === "" ? hidden : hidden.replaceAll(password, "…");
}

/** A bearer that a header cannot carry: a line's end that was kept along with it, letters beyond ASCII. */
export function isSendable(authorization: string): boolean {
  return /^[\x20-\x7e]*$/.test(authorization);
}

/** Seconds, or a date of HTTP. */
function readRetryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestRetryAfterMs) : undefined;
}

const firstWaitMs = 250;
const longestWaitMs = 30_000;

/** How long to wait after so many failures in a row; `random` (0 to 1) keeps hubs from coming back all at once. */
export function backOffMs(failures: number, random: number): number {
  return Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs) * (0.5 + random / 2);
}

/** Fault `invalid` for a selector that is none. */
export function formOf({ only, drop, labels }: RemoteWriteDocument): ParcelForm {
  return {
    ...(only === undefined ? {} : { only: only.map(parseSelector) }),
    ...(drop === undefined ? {} : { drop: drop.map(parseSelector) }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** Failures in a row before anybody is told: one may be a restart of the target. */
const toldAfter = 3;

export function isWorthTelling(failures: number): boolean {
  return failures === toldAfter;
}
