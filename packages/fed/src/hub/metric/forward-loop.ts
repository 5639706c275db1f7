import type { RemoteWriteDocument } from "@fed/lab";
import { type Clock, sleep } from "#base/clock.ts";
import { isFault, toFault } from "#base/fault.ts";
import type { Outbox } from "#engine/tsdb/outbox.ts";
import type { RemoteWriteTarget } from "#wire/remote-write.ts";
import { backOffMs, formOf, isWorthTelling, type Verdict } from "./forward.ts";
import type { Sender } from "./forward-send.ts";

/** What has become of a target since the hub has known it. */
export interface Delivery extends Omit<RemoteWriteTarget, "name" | "url"> {
  /** Of the newest sample that it has; 0 for none. */
  newestMs: number;
  failures: number;
  told: boolean;
}

export interface ForwardNeeds {
  readonly name: string;
  readonly document: RemoteWriteDocument;
  readonly sender: Sender;
  readonly clock: Clock;
  /** 0 to 1. */
  random(): number;
  outbox(): Promise<Outbox>;
  readSecret(name: string): Promise<string>;
  /** It fails, and has failed for some time; or it goes again. */
  turned(turn: { readonly kind: "failed"; readonly reason: string } | { readonly kind: "recovered" }): void;
  dropped(samples: number): void;
}

/** When less than this comes at a time, more is waited for: a request for each append would be many. */
const smallSamples = 500;
const restMs = 500;
/** Requests for one parcel that is refused, to find what of it is not. */
const mostParts = 64;

export function newDelivery(nowMs: number, droppedSamples: number): Delivery {
  const nothing = { sentSamples: 0, refusedSamples: 0, droppedSamples, retries: 0, pendingBytes: 0, lagMs: 0 };
  return { state: "sending", sinceMs: nowMs, newestMs: 0, failures: 0, told: false, ...nothing };
}

/** Sends what comes in to one target, in order, one request at a time, until the signal ends it. */
export async function forward(needs: ForwardNeeds, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { name, document, clock } = needs;
  for (;;) {
    const sent = await patiently(needs, delivery, signal, async () => {
      const outbox = await needs.outbox();
      const parcel = await outbox.next(name, formOf(document), signal);
      const parts: Parts = { left: mostParts, again: parcel.again, of: (begin, end) => outbox.part(name, begin, end) };
      await deliver(needs, delivery, { body: parcel.body, begin: 0, end: parcel.samples }, parts, signal);
      delivery.newestMs = Math.max(delivery.newestMs, parcel.newestMs);
      await outbox.done(name);
      await look(needs, delivery);
      return parcel.samples;
    });
    if (sent < smallSamples) await sleep(clock, restMs, signal);
  }
}

/** Again and again: a store that cannot be read now may be later. */
async function patiently<T>(
  needs: ForwardNeeds,
  delivery: Delivery,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      signal.throwIfAborted();
      const { message, hint } = toFault(thrown);
      const kind = isFault(thrown) && thrown.code === "invalid" ? "closed" : "later";
      await fail(needs, delivery, { kind, reason: hint === undefined ? message : `${message}. ${hint}` }, signal);
    }
  }
}

interface Piece {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly begin: number;
  readonly end: number;
}

interface Parts {
  /** Requests that may still be made to find what is not refused. */
  left: number;
  /** The target may have it already: the answer to a try was lost. */
  again: boolean;
  of(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A target may take nothing of a request for the sake of one sample: what is refused is sent again in halves. */
async function deliver(
  needs: ForwardNeeds,
  delivery: Delivery,
  { body, begin, end }: Piece,
  parts: Parts,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await untilJudged(needs, delivery, body, parts, signal);
  const count = end - begin;
  const last = count === 1 || (verdict.kind === "refused" && parts.left < 2);
  // Prometheus refuses what it has already as "out of order".
  if (verdict.kind === "taken" || (last && verdict.kind === "refused" && parts.again)) {
    delivery.sentSamples += count;
    return;
  }
  if (last) {
    delivery.refusedSamples += count;
    delivery.lastError = { atMs: needs.clock.nowMs(), kind: "refused", reason: verdict.reason };
    return;
  }
  parts.left -= 2;
  const middle = begin + Math.floor(count / 2);
  for (const [from, to] of [[begin, middle] as const, [middle, end] as const]) {
    await deliver(needs, delivery, { body: await parts.of(from, to), begin: from, end: to }, parts, signal);
  }
}

type Judged = Exclude<Verdict, { kind: "later" | "closed" }>;

async function untilJudged(
  needs: ForwardNeeds,
  delivery: Delivery,
  body: Uint8Array<ArrayBuffer>,
  parts: Parts,
  signal: AbortSignal,
): Promise<Judged> {
  for (;;) {
    const verdict = await attempt(needs, body, signal);
    if (verdict.kind !== "later" && verdict.kind !== "closed") {
      succeed(needs, delivery);
      return verdict;
    }
    await look(needs, delivery).catch(() => {
      // What waits is shown as it was; sending says what is wrong with the store.
    });
    if (verdict.kind === "later") parts.again = true;
    await fail(needs, delivery, verdict, signal);
  }
}

async function attempt(
  { document: { auth }, sender, readSecret }: ForwardNeeds,
  body: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<Verdict> {
  let authorization: string | undefined;
  try {
    if (auth && "token" in auth) authorization = `Bearer ${await readSecret(auth.token.secret)}`;
    else if (auth) {
      const password = await readSecret(auth.password.secret);
      authorization = `Basic ${Buffer.from(`${auth.user}:${password}`).toString("base64")}`;
    }
  } catch (thrown) {
    const { message, hint } = toFault(thrown);
    return { kind: "closed", reason: hint === undefined ? message : `${message}. ${hint}` };
  }
  return sender.send(body, authorization, signal);
}

async function fail(
  needs: ForwardNeeds,
  delivery: Delivery,
  verdict: Extract<Verdict, { kind: "later" | "closed" }>,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = needs;
  const { kind, reason } = verdict;
  delivery.failures++;
  delivery.retries++;
  delivery.lastError = { atMs: clock.nowMs(), kind, reason };
  if (delivery.state !== "failing") {
    delivery.state = "failing";
    delivery.sinceMs = clock.nowMs();
  }
  if (isWorthTelling(delivery.failures)) {
    delivery.told = true;
    needs.turned({ kind: "failed", reason });
  }
  const asked = verdict.kind === "later" ? (verdict.waitMs ?? 0) : 0;
  await sleep(clock, Math.max(asked, backOffMs(delivery.failures, needs.random())), signal);
}

function succeed({ clock, turned }: ForwardNeeds, delivery: Delivery): void {
  delivery.failures = 0;
  if (delivery.state === "failing") {
    delivery.state = "sending";
    delivery.sinceMs = clock.nowMs();
  }
  if (!delivery.told) return;
  delivery.told = false;
  turned({ kind: "recovered" });
}

/** What waits, and what was given up. */
async function look(needs: ForwardNeeds, delivery: Delivery): Promise<void> {
  const all = await (await needs.outbox()).backlog();
  const own = all.find(({ target }) => target === needs.name);
  if (own) noteBacklog(needs, delivery, own);
}

export function noteBacklog(
  { clock, dropped }: Pick<ForwardNeeds, "clock" | "dropped">,
  delivery: Delivery,
  backlog: { readonly bytes: number; readonly dropped: number },
): void {
  delivery.pendingBytes = backlog.bytes;
  const since = delivery.newestMs > 0 ? delivery.newestMs : delivery.sinceMs;
  delivery.lagMs = backlog.bytes === 0 ? 0 : Math.max(0, clock.nowMs() - since);
  const more = backlog.dropped - delivery.droppedSamples;
  if (more <= 0) return;
  delivery.droppedSamples = backlog.dropped;
  dropped(more);
}
