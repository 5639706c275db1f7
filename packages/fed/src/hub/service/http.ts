import { nearest } from "@fed/lab";
import { makeBroadcast } from "#base/broadcast.ts";
import { Fault } from "#base/fault.ts";
import type { LogLine, LogOptions, Runtime } from "#port/runtime.ts";
import type { HandlersOf } from "#wire/handler.ts";
import type { Control } from "./control.ts";
import { keyOf, type ResolvedService } from "./service.ts";
import { instanceKey } from "./world.ts";

/** Lines waiting for one reader; the oldest are given up for one who does not keep pace. */
const queueLimit = 20_000;

interface LogQuery {
  readonly environment: string;
  readonly service: string;
  readonly tail: number;
  readonly follow: boolean;
  readonly after?: string | undefined;
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

/** A service's output over all its instances, the ended ones first; when following, also of those that start later. */
async function* serviceLogs(control: Control, runtime: Runtime, query: LogQuery, signal: AbortSignal) {
  const key = keyOf(query.environment, query.service);
  const begin = beginOf(query);
  const instances = () => control.world.instances.filter((one) => instanceKey(one) === key);
  if (!query.follow) {
    for (const { id } of instances()) yield* runtime.logs(id, begin(id), signal);
    return;
  }
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
  for (const { id } of instances()) follow(id, begin(id)).catch(drop);
  const followNew = async () => {
    for await (const event of events) {
      if (event.kind !== "started") continue;
      await control.world.observe(until);
      for (const { id } of instances()) follow(id, {}).catch(drop);
    }
  };
  followNew().catch(drop);
  try {
    yield* read;
  } finally {
    stop.abort();
  }
}

/** The handlers of services. */
export function serviceHandlers(needs: {
  readonly control: Control;
  readonly runtime: Runtime;
}): HandlersOf<"restart" | "logs"> {
  const { control, runtime } = needs;
  return {
    restart({ environment, service }, { actor, correlation }) {
      const { key, unsupported } = requireService(control, keyOf(environment, service));
      if (unsupported !== undefined) throw new Fault("unsupported", `${key} does not run here: ${unsupported}`);
      control.restart(key, { actor, correlation });
      return { done: true };
    },
    logs(query, { signal }) {
      // Now, not with the first line: then it is an answer like any other.
      requireService(control, keyOf(query.environment, query.service));
      return serviceLogs(control, runtime, query, signal);
    },
  };
}

function requireService(control: Control, key: string): ResolvedService {
  const services = control.services();
  const found = services.find((service) => service.key === key);
  if (found) return found;
  const keys = services.map((service) => service.key);
  const meant = nearest(key, keys);
  throw new Fault("missing", `the lab has no service ${key}`, {
    hint: meant === undefined ? `It has: ${keys.join(", ") || "none"}.` : `Did you mean ${meant}?`,
  });
}
