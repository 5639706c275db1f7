import { type Clock, withDeadline } from "#base/clock.ts";
import { isFault } from "#base/fault.ts";
import type { Sites } from "./sites.ts";

const lines = 60;
const letters = 16_384;
const patienceMs = 3_000;

/** The end of what an instance has said; "" when there is nothing, or nobody can be asked. */
export async function lastWords(
  sites: Pick<Sites, "logs">,
  clock: Clock,
  instance: string,
  signal: AbortSignal,
): Promise<string> {
  const read = async (inner: AbortSignal) => {
    const said: string[] = [];
    for await (const { text } of sites.logs(instance, { tail: lines }, inner)) said.push(text);
    return said.join("\n").slice(-letters);
  };
  try {
    return await withDeadline(clock, patienceMs, `the last lines of ${instance}`, read, signal);
  } catch (thrown) {
    if (isFault(thrown) || signal.aborted) return "";
    throw thrown;
  }
}
