import type { MetricsDocument, RemoteWriteDocument } from "@fed/lab";
import { type Clock, sleep } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Meter } from "#base/meter.ts";
import type { Trace } from "#base/trace.ts";
import type { Outbox } from "#engine/tsdb/outbox.ts";
import type { EventData } from "#wire/event.ts";
import type { RemoteWriteTarget } from "#wire/remote-write.ts";
import { type Delivery, type ForwardNeeds, forward, newDelivery, noteBacklog } from "./forward-loop.ts";
import { makeSender } from "./forward-send.ts";

export type Turn =
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "recovered" }
  | { readonly kind: "dropped"; readonly samples: number };

export interface ForwardingNeeds {
  outbox(): Promise<Outbox>;
  readSecret(name: string): Promise<string>;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly meter: Meter;
  /** Of fed. */
  readonly version: string;
  /** What a start has to do comes first: for so long nothing is sent; a second when left out. */
  readonly firstMs?: number;
  /** 0 to 1. */
  random?(): number;
  /** Told once for each. */
  turned(target: string, turn: Turn): void;
}

/** Sends on what the hub takes, to whom the lab names. */
export interface Forwarding {
  /** The lab says this now: targets come, change and go. */
  update(metrics: MetricsDocument | undefined): void;
  list(): Promise<readonly RemoteWriteTarget[]>;
  close(): Promise<void>;
}

interface Running {
  readonly name: string;
  readonly document: RemoteWriteDocument;
  readonly delivery: Delivery;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const retryMs = 10_000;

export function openForwarding(needs: ForwardingNeeds): Forwarding {
  const { clock, trace } = needs;
  const running = new Map<string, Running>();
  const closing = new AbortController();
  let wanted: Readonly<Record<string, RemoteWriteDocument>> | undefined;
  /** What keeps targets from being taken up. */
  let trouble: Delivery["lastError"];
  let updating: Promise<void> | undefined;
  let first = needs.firstMs ?? 1_000;
  registerMetrics(needs.meter, running);

  /** Makes what runs what is wanted, however often that changes meanwhile. */
  async function settle(): Promise<void> {
    await sleep(clock, first, closing.signal);
    first = 0;
    for (let done: typeof wanted; done !== wanted; ) {
      const next = wanted ?? {};
      try {
        await stop([...running.values()].filter(({ name, document }) => !isSame(next[name], document)));
        const outbox = await needs.outbox();
        await outbox.follow(Object.keys(next));
        const backlog = await outbox.backlog();
        closing.signal.throwIfAborted();
        for (const { target, dropped } of backlog) if (!running.has(target)) start(target, next[target], dropped);
        done = next;
        trouble = undefined;
      } catch (thrown) {
        if (closing.signal.aborted) return;
        const reason = toFault(thrown).message;
        trouble = { atMs: clock.nowMs(), kind: "later", reason };
        trace.warn("the targets of remote write could not be taken up", { reason });
        await sleep(clock, retryMs, closing.signal);
      }
    }
  }

  /** `dropped`: samples that were given up, and that was told, before. */
  function start(name: string, document: RemoteWriteDocument | undefined, dropped: number): void {
    if (document === undefined) return;
    const stopping = new AbortController();
    const delivery = newDelivery(clock.nowMs(), dropped);
    const ended = forward(forwardNeeds(name, document), delivery, stopping.signal).catch((thrown: unknown) => {
      if (!stopping.signal.aborted) trace.error("sending on has ended", { target: name, reason: String(thrown) });
    });
    running.set(name, { name, document, delivery, stop: stopping, ended });
  }

  function forwardNeeds(name: string, document: RemoteWriteDocument): ForwardNeeds {
    return {
      ...{ name, document, clock, sender: makeSender(document.url, { clock, version: needs.version }) },
      random: needs.random ?? Math.random,
      outbox: needs.outbox,
      readSecret: needs.readSecret,
      turned(turn) {
        if (turn.kind === "failed") {
          trace.warn("samples cannot be sent on; they wait", { target: name, reason: turn.reason });
        } else trace.info("samples are sent on again", { target: name });
        needs.turned(name, turn);
      },
      dropped(samples) {
        trace.warn("the oldest samples that waited were dropped for want of room", { target: name, samples });
        needs.turned(name, { kind: "dropped", samples });
      },
    };
  }

  async function stop(all: readonly Running[]): Promise<void> {
    for (const { name, stop } of all) {
      stop.abort(new Error(`${name} is no target any more`));
      running.delete(name);
    }
    await Promise.all(all.map(({ ended }) => ended));
  }

  /** A target that has not been taken up: the store is not open yet, or cannot be. */
  function notYet(lastError: Delivery["lastError"]): Delivery {
    const delivery = newDelivery(clock.nowMs(), 0);
    return lastError === undefined ? delivery : { ...delivery, state: "failing", lastError };
  }

  return {
    update(metrics) {
      const next = metrics?.remoteWrite ?? {};
      if (closing.signal.aborted || (wanted !== undefined && isSame(wanted, next))) return;
      wanted = next;
      updating ??= settle()
        .catch(() => undefined)
        .finally(() => {
          updating = undefined;
        });
    },
    async list() {
      const backlog = running.size === 0 ? [] : await (await needs.outbox()).backlog();
      return Object.entries(wanted ?? {}).map(([name, document]) => {
        const delivery = running.get(name)?.delivery ?? notYet(trouble);
        const own = backlog.find(({ target }) => target === name);
        if (own) noteBacklog(forwardNeeds(name, document), delivery, own);
        const { newestMs: _newest, failures: _failures, told: _told, ...shown } = delivery;
        return { name, url: document.url, ...shown };
      });
    },
    async close() {
      closing.abort(new Error("the hub is closing"));
      await updating;
      await stop([...running.values()]);
    },
  };
}

export function eventOfTurn(turn: Turn): EventData {
  if (turn.kind === "failed") return { type: "remoteWrite.failed", reason: turn.reason };
  if (turn.kind === "dropped") return { type: "remoteWrite.dropped", samples: turn.samples };
  return { type: "remoteWrite.recovered" };
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function registerMetrics(meter: Meter, running: ReadonlyMap<string, Running>): void {
  const watch = (name: string, type: "counter" | "gauge", help: string, read: (delivery: Delivery) => number) =>
    meter.watch(`fed_remote_write_${name}`, type, help, () =>
      [...running.values()].map(({ name: target, delivery }) => ({ labels: { target }, value: read(delivery) })),
    );
  watch("samples_total", "counter", "Samples that a target has taken.", (one) => one.sentSamples);
  watch("refused_samples_total", "counter", "Samples that a target never takes.", (one) => one.refusedSamples);
  watch("dropped_samples_total", "counter", "Samples given up because too many waited.", (one) => one.droppedSamples);
  watch("retries_total", "counter", "Requests that failed and were made again.", (one) => one.retries);
  watch("pending_bytes", "gauge", "Bytes of the log that wait for a target.", (one) => one.pendingBytes);
  watch("lag_seconds", "gauge", "Age of the newest sample that a target has.", (one) => one.lagMs / 1_000);
  watch("failing", "gauge", "1 while a target cannot be sent to.", (one) => (one.state === "failing" ? 1 : 0));
  meter.watch("fed_remote_write_last_error", "gauge", "When a target failed last, by the kind of its failure.", () =>
    [...running.values()].flatMap(({ name, delivery: { lastError } }) =>
      lastError === undefined
        ? []
        : [{ labels: { target: name, kind: lastError.kind }, value: lastError.atMs / 1_000 }],
    ),
  );
}
