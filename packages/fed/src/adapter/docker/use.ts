/** What running instances use. */
import { isFault } from "#base/fault.ts";
import type { InstanceUse } from "#port/runtime.ts";
import { readAnswer, statsAnswer } from "./answer.ts";
import { isRunning } from "./container.ts";
import { idLabel } from "./label.ts";
import { eachOf, listContainers } from "./look.ts";
import type { State } from "./state.ts";

const askLimit = 8;

export async function measureUse(
  state: State,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly InstanceUse[]> {
  if (ids.length === 0) return [];
  const listed = await listContainers(state, undefined, signal);
  const containers = new Map(
    listed.filter(({ State }) => isRunning(State)).map(({ Id, Labels }) => [Labels[idLabel] ?? "", Id]),
  );
  const uses = await eachOf(ids, askLimit, async (id) => {
    const container = containers.get(id);
    return container === undefined ? undefined : measureOne(state, id, container, signal);
  });
  return uses.filter((use) => use !== undefined);
}

async function measureOne(
  state: State,
  id: string,
  container: string,
  signal: AbortSignal,
): Promise<InstanceUse | undefined> {
  const { client } = state;
  const what = `use of ${id}`;
  const query = { stream: false, "one-shot": true };
  try {
    const answer = await client.json({ method: "GET", path: `/containers/${container}/stats`, query, what }, signal);
    const { cpu_stats: cpu, memory_stats: memory } = readAnswer(client.name, what, statsAnswer, answer);
    const { total_inactive_file: first, inactive_file: second } = memory.stats ?? {};
    return {
      id,
      cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
      // Files that are merely cached are given back when somebody else needs the room.
      memoryBytes: Math.max(0, (memory.usage ?? 0) - (first ?? second ?? 0)),
    };
  } catch (thrown) {
    // It ended meanwhile.
    if (isFault(thrown) && (thrown.code === "missing" || thrown.code === "conflict")) return undefined;
    throw thrown;
  }
}
