import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import { readPresence } from "#hub/presence.ts";
import { api } from "#wire/api.ts";
import { type Client, makeClient } from "#wire/client.ts";
import type { HubStatus, ServiceStatus } from "#wire/status.ts";
import type { Env } from "./env.ts";
import { chooseHub, type HubChoice } from "./hub-flags.ts";
import { openLoginStore } from "./login-store.ts";

/** The client of the hub that the flags mean. Fault `unreachable` when none runs. */
export async function openClient(
  flags: { readonly data: string | undefined; readonly hub: string | undefined },
  env: Env,
  signal: AbortSignal,
): Promise<Client> {
  return clientOf(chooseHub(flags, env), env, signal);
}

async function clientOf(choice: HubChoice, env: Env, signal: AbortSignal): Promise<Client> {
  const logins = openLoginStore(env.configFolder);
  const elsewhere = (url: string) => makeClient({ url, token: () => logins.accessToken(url, signal) });
  if (choice.kind === "url") {
    return choice.token === undefined ? elsewhere(choice.url) : makeClient({ url: choice.url, token: choice.token });
  }
  const presence = await readPresence(choice.folder);
  if (presence) {
    const token = (await readFileIfThere(join(choice.folder, "token")))?.trim();
    return makeClient({ url: presence.url, token });
  }
  const last = choice.kind === "usual" ? await logins.last() : undefined;
  if (last !== undefined) return elsewhere(last);
  throw new Fault("unreachable", `no hub runs on ${choice.folder}`, {
    hint: "Start one with `fed up`, name its data folder with --data DIR, or sign in at one elsewhere: `fed login URL`.",
  });
}

/** The service a person means by `api` or `dev/api`. */
export async function findService(client: Client, name: string, signal: AbortSignal): Promise<ServiceStatus> {
  const status = await client.call(api.status, {}, signal);
  const found = status.services.filter((one) => one.service === name || `${one.environment}/${one.service}` === name);
  const [one] = found;
  if (one && found.length === 1) return one;
  throw found.length > 1 ? ambiguous(name, found) : unknown(name, status);
}

function ambiguous(name: string, found: readonly ServiceStatus[]): Fault {
  const full = found.map(({ environment, service }) => `${environment}/${service}`);
  return new Fault("invalid", `${name} runs in several environments`, { hint: `Say which: ${full.join(", ")}.` });
}

function unknown(name: string, status: HubStatus): Fault {
  const names = [...new Set(status.services.map(({ service }) => service))];
  return new Fault("missing", `${status.lab.name} has no service ${name}`, {
    hint: `It has: ${names.join(", ") || "none"}.`,
    details: { typed: name, known: names },
  });
}
