import type { HttpAuth } from "@fed/lab";
import { type Clock, sleep } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Appended, Batch } from "#engine/tsdb/batch.ts";
import { isSendable, withoutLogin } from "#hub/metric/forward.ts";
import type { Target } from "#hub/metric/target.ts";
import type { ExporterDoor } from "#port/exporter.ts";
import { type ExporterTarget, keyOf, type Standing, standingAfter } from "./exporter.ts";
import type { Answer, Scraper, Take } from "./scrape.ts";

export interface ScrapeNeeds {
  readonly door: ExporterDoor;
  readonly clock: Clock;
  readonly trace: Trace;
  readSecret(name: string): Promise<string>;
  /** When it returns, the samples taken are on the disk. */
  append(batch: Batch, machine: string): Promise<Appended>;
  /** How a scrape went. */
  report(target: Target): void;
  /**
   * What is wrong with an exporter of a machine from now on; undefined when nothing is. Said again with each scrape for as long as it
   * lasts: a machine that was moved meanwhile has been forgotten with its problems.
   */
  problem(machine: string, collector: string, reason: string | undefined): void;
  /** Whether the machine itself answers. */
  isThere(machine: string): boolean;
}

/** An exporter that is scraped. */
export interface Scraped {
  readonly target: ExporterTarget;
  readonly scraper: Scraper;
  standing: Standing;
  /** Names of the metrics that it has said something of. */
  readonly described: Set<string>;
}

/** Of one answer, before and after it is unpacked. */
const mostBytes = 16 * 1024 * 1024;
/** The first scrapes after a start, or an edit, come within so long. */
const firstMs = 5_000;

/** Scrapes one exporter at its pace until the signal ends it. */
export async function scrapeForever(needs: ScrapeNeeds, scraped: Scraped, signal: AbortSignal): Promise<never> {
  const { clock } = needs;
  const { everyMs } = scraped.target;
  const beganTick = clock.tickMs() + spread(keyOf(scraped.target)) * Math.min(everyMs, firstMs);
  for (let turn = 0; ; ) {
    await sleep(clock, beganTick + turn * everyMs - clock.tickMs(), signal);
    await scrape(needs, scraped, signal);
    // A turn that took too long leaves out the next one.
    turn = Math.max(turn + 1, Math.ceil((clock.tickMs() - beganTick) / everyMs));
  }
}

/** The same share for the same name, so that exporters of many machines are not all asked at once: 0 to 1. */
function spread(key: string): number {
  let hash = 2166136261;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
  return (hash >>> 0) / 2 ** 32;
}

/** One scrape, whatever comes of it. */
async function scrape(needs: ScrapeNeeds, scraped: Scraped, signal: AbortSignal): Promise<void> {
  const { clock, trace } = needs;
  const { target, scraper, described } = scraped;
  const [atMs, beganTick] = [clock.nowMs(), clock.tickMs()];
  const tookMs = () => clock.tickMs() - beganTick;
  const authorization = await authorizationOf(target.auth, needs.readSecret);
  signal.throwIfAborted();
  const taken = await scraper.take(await ask(needs.door, target, authorization, signal), atMs, tookMs);
  signal.throwIfAborted();
  const error = withoutLogin(taken.error, authorization.value);
  let lacks = withoutLogin(taken.lacks, authorization.value);
  try {
    const refused = refusedOf(await needs.append(taken.batch, target.machine), taken);
    lacks ||= refused;
  } catch (thrown) {
    // The store's trouble, and not the exporter's.
    trace.warn("samples of an exporter were not kept", { exporter: keyOf(target), reason: toFault(thrown).message });
  }
  needs.report({
    ...{ job: target.name, instance: target.labels.instance ?? "", machine: target.machine, url: target.url },
    ...{ everyMs: target.everyMs, timeoutMs: target.timeoutMs, metrics: described },
    ...{ lastMs: atMs, tookMs: tookMs(), error },
  });
  settle(needs, scraped, { error, lacks });
}

async function ask(
  door: ExporterDoor,
  { url, timeoutMs }: ExporterTarget,
  authorization: Authorization,
  signal: AbortSignal,
): Promise<Answer | string> {
  if (authorization.kind === "none") return authorization.reason;
  const request = { url, timeoutMs, bytes: mostBytes, authorization: authorization.value };
  const outcome = await door.fetch(request, signal);
  return outcome.kind === "answered" ? outcome : outcome.reason;
}

type Authorization =
  | { readonly kind: "ready"; readonly value: string | undefined }
  | { readonly kind: "none"; readonly value?: undefined; readonly reason: string };

async function authorizationOf(
  auth: HttpAuth | undefined,
  readSecret: (name: string) => Promise<string>,
): Promise<Authorization> {
  if (auth === undefined) return { kind: "ready", value: undefined };
  try {
    if ("token" in auth) {
      const value = `Bearer ${await readSecret(auth.token.secret)}`;
      if (isSendable(value)) return { kind: "ready", value };
      return { kind: "none", reason: "its token has letters that no header may have, such as a line's end" };
    }
    const login = Buffer.from(`${auth.user}:${await readSecret(auth.password.secret)}`);
    return { kind: "ready", value: `Basic ${login.toString("base64")}` };
  } catch (thrown) {
    const { message, hint } = toFault(thrown);
    return { kind: "none", reason: hint === undefined ? message : `${message}. ${hint}` };
  }
}

/** What the store did not take; that the end of a series was there already is nothing. */
function refusedOf({ refused, refusals }: Appended, { batch, ends }: Take): string {
  const first = refusals.find(({ row }) => row < batch.labels.length - ends);
  if (first === undefined) return "";
  return `${refused} of its samples ${refused === 1 ? "is" : "are"} not kept: ${first.message}`;
}

function settle(
  { problem, isThere }: ScrapeNeeds,
  scraped: Scraped,
  went: { readonly error: string; readonly lacks: string },
): void {
  const { machine, name } = scraped.target;
  const before = scraped.standing;
  scraped.standing = standingAfter(before, went, isThere(machine));
  const now = scraped.standing.problem;
  if (now !== "" || before.problem !== "") problem(machine, collectorOf(name), now === "" ? undefined : now);
}

/** What a machine's problem is called. */
export function collectorOf(exporter: string): string {
  return `exporter ${exporter}`;
}
