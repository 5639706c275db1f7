import { systemClock, withDeadline } from "#base/clock.ts";
import { defineCommand } from "../command.ts";
import { complete } from "../complete.ts";
import type { Env } from "../env.ts";
import { labPath } from "../lab-path.ts";

const limitMs = 1_000;

/** What the completion scripts ask: never fails loudly, because a person is in the middle of a line. */
export const command = defineCommand({
  args: {
    words: { kind: "word", many: true, optional: true, description: "The words after fed, the last one unfinished" },
  },
  flags: {},
  examples: [{ line: "fed complete -- logs ''", says: "list what can follow fed logs" }],
  async run({ args, env, screen, signal, program }) {
    const services = () => servicesOf(env, signal).catch(() => []);
    const { candidates, paths } = await complete(program, args.words, services);
    if (screen.json) screen.data({ candidates, paths });
    for (const { word, description } of candidates) screen.line(`${word}\t${description}`);
    if (paths !== undefined) screen.line(`:${paths}`);
    return 0;
  },
});

/** The services of the running hub; when none answers, of the lab that a command here would mean. */
async function servicesOf(env: Env, signal: AbortSignal): Promise<readonly string[]> {
  const within = <T>(work: (both: AbortSignal) => Promise<T>) =>
    withDeadline(systemClock, limitMs, "the completion", work, signal);
  try {
    return await within((both) => servicesOfHub(env, both));
  } catch {
    return await within((both) => servicesOfLab(env, both));
  }
}

async function servicesOfHub(env: Env, signal: AbortSignal): Promise<readonly string[]> {
  const [{ openClientForNow }, { api }] = await Promise.all([import("../hub-client.ts"), import("#wire/api.ts")]);
  const client = await openClientForNow(env, signal);
  const { services } = await client.call(api.status, {}, signal);
  const names = services.map(({ service }) => service);
  const full = services.map(({ environment, service }) => `${environment}/${service}`);
  return [...new Set([...names, ...full])];
}

async function servicesOfLab(env: Env, signal: AbortSignal): Promise<readonly string[]> {
  const { loadLab } = await import("#hub/lab/load.ts");
  const lab = await loadLab(labPath({ lab: undefined }, env).path, { clock: systemClock }, signal);
  return lab.kind === "loaded" ? Object.keys(lab.document.services) : [];
}
