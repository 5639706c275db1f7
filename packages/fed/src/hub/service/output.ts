import { makeBroadcast } from "#base/broadcast.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { KeptLogs } from "#hub/log/verbs.ts";
import type { LogLine, LogOptions } from "#port/runtime.ts";
import type { Control } from "./control.ts";
import { keyOf } from "./service.ts";
import type { Sites } from "./sites.ts";
import { instanceKey } from "./world.ts";

/** Lines waiting for one reader; the oldest are given up for one who does not keep pace. */
const queueLimit = 20_000;

export interface LogQuery {
  readonly environment: string;
  readonly service: string;
  readonly tail: number;
  readonly follow: boolean;
  readonly after?: string | undefined;
  /** Only this instance, by its id or the end of it. */
  readonly instance?: string | undefined;
  /** Those that are gone as well. */
  readonly gone: boolean;
}

export interface OutputNeeds {
  readonly control: Pick<Control, "world">;
  /** Where the output of instances comes from that are there. */
  readonly runtime: Pick<Sites, "logs" | "watch">;
  readonly kept: Pick<KeptLogs, "list" | "find" | "read">;
}

/** Where to begin in the output of each instance. */
function beginOf({ tail, after }: LogQuery): (id: string) => LogOptions {
  if (after === undefined) return () => ({ tail });
  const places = new Map(
    after.split(",").map((word): [string, string] => {
      const [id = "", at = ""] = word.split("@");
      return [id, at];
    }),
  );
  return (id): LogOptions => {
    const place = places.get(id);
    // Who goes on has not seen those he does not name.
    if (place === undefined) return {};
    return place === "" ? { tail: 0 } : { after: place };
  };
}

/** Ids of instances whose output there is, the gone ones first, each kind the oldest first. */
export function instancesWithOutput(
  { control, kept }: Pick<OutputNeeds, "control" | "kept">,
  { environment, service }: Pick<LogQuery, "environment" | "service">,
): { readonly gone: readonly string[]; readonly there: readonly string[] } {
  const key = keyOf(environment, service);
  const there = control.world.instances.flatMap((one) => (instanceKey(one) === key ? [one.id] : []));
  const gone = kept.list(environment, service).flatMap(({ instance }) => (there.includes(instance) ? [] : [instance]));
  return { gone, there };
}

/** Faults, before the first line: `missing` for an instance that nobody knows, `conflict` for an end that several ids have. */
export function chooseInstances(
  { gone, there }: ReturnType<typeof instancesWithOutput>,
  query: Pick<LogQuery, "instance" | "gone">,
): readonly string[] {
  const all = [...gone, ...there];
  if (query.instance === undefined) return query.gone ? all : there;
  const named = all.filter((id) => id === query.instance || id.endsWith(query.instance ?? ""));
  if (named.length === 1) return named;
  const ends = (ids: readonly string[]) => ids.slice(-10).join(", ");
  if (named.length > 1) {
    throw new Fault("conflict", `several instances end with ${query.instance}`, {
      hint: `Say more of it: ${ends(named)}.`,
    });
  }
  throw new Fault("missing", `there is no output of an instance ${query.instance}`, {
    hint: all.length === 0 ? "There is none of any other, either." : `There is that of ${ends(all)}.`,
  });
}

/** A service's output over its instances; when following, also of those that start later. */
export async function* readOutput(needs: OutputNeeds, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine> {
  const begin = beginOf(query);
  const chosen = chooseInstances(instancesWithOutput(needs, query), query);
  const { there } = instancesWithOutput(needs, query);
  const gone = chosen.filter((id) => !there.includes(id));
  for (const id of gone) yield* needs.kept.read(id, begin(id), signal);
  const rest = chosen.filter((id) => there.includes(id));
  if (query.follow && (rest.length > 0 || query.instance === undefined)) {
    yield* followOutput(needs, query, rest, begin, signal);
    return;
  }
  for (const id of rest) yield* readOne(needs, id, begin(id), signal);
}

/** It may be removed before it is asked. */
async function* readOne({ runtime, kept }: OutputNeeds, id: string, from: LogOptions, signal: AbortSignal) {
  try {
    yield* runtime.logs(id, from, signal);
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "missing" || kept.find(id) === undefined) throw thrown;
    yield* kept.read(id, from, signal);
  }
}

async function* followOutput(
  { control, runtime }: OutputNeeds,
  query: LogQuery,
  first: readonly string[],
  begin: (id: string) => LogOptions,
  signal: AbortSignal,
): AsyncIterable<LogLine> {
  const key = keyOf(query.environment, query.service);
  const lines = makeBroadcast<LogLine>(queueLimit);
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const read = lines.read(until);
  const followed = new Set<string>();
  const follow = async (id: string, from: LogOptions) => {
    if (followed.has(id)) return;
    followed.add(id);
    for await (const line of runtime.logs(id, { ...from, follow: true }, until)) lines.send(line);
  };
  const events = runtime.watch(until);
  const drop = (thrown: unknown) => {
    if (!until.aborted && !(thrown instanceof Fault && thrown.code === "missing"))
      lines.send({ instance: "", text: `${thrown}`, at: "" });
  };
  for (const id of first) follow(id, begin(id)).catch(drop);
  const followNew = async () => {
    for await (const event of events) {
      if (event.kind !== "started") continue;
      await control.world.observe(until);
      for (const one of control.world.instances) if (instanceKey(one) === key) follow(one.id, {}).catch(drop);
    }
  };
  if (query.instance === undefined) followNew().catch(drop);
  try {
    yield* read;
  } finally {
    stop.abort();
  }
}
