import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { WireRollout } from "../../packages/fed/src/wire/release.ts";
import { runFed } from "./program.ts";
import { ask, type Stage } from "./stage.ts";

/** What tests of failing releases look at: the service `web`, and somebody who asks it all the time. */

export const fed = (stage: Stage, ...words: readonly string[]) => runFed([...words, "--data", stage.data]);

/** Of `web`, newest first. */
export async function rolloutsOf(stage: Stage): Promise<readonly WireRollout[]> {
  const { out } = await fed(stage, "releases", "web", "--json");
  return (JSON.parse(out) as { readonly rollouts: readonly WireRollout[] }).rollouts;
}

/** Asks all the time; what it answers ends that, and tells each answer with how often it came. */
export function visit(port: number) {
  const agent = new Agent({ keepAlive: true });
  const told = new Map<string, number>();
  let stopped = false;
  const work = (async () => {
    while (!stopped) {
      const answer = await ask(port, "web.localhost", agent).then(
        ({ status, body }) => (status === 200 ? body.trim() : `${status} ${body.slice(0, 200)}`),
        (thrown) => String(thrown),
      );
      told.set(answer, (told.get(answer) ?? 0) + 1);
      await pause(2);
    }
    agent.destroy();
  })();
  return async () => {
    stopped = true;
    await work;
    return Object.fromEntries(told);
  };
}
