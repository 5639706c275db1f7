import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import { isHubThere, readPresence } from "#hub/presence.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import type { HubStatus, ServiceStatus } from "#wire/status.ts";
import type { Env } from "./env.ts";
import { chooseHub } from "./hub-flags.ts";
import { type LoginStore, openLoginStore } from "./login-store.ts";
import { clientOf, type Way } from "./way.ts";

interface HubFlags {
  readonly data: string | undefined;
  readonly hub: string | undefined;
}

/** The client of the hub that the flags mean. Fault `unreachable` when none runs. */
export async function openClient(flags: HubFlags, env: Env, signal: AbortSignal): Promise<Client> {
  return clientOf(await findHub(flags, env, signal));
}

/** The same, and the address at which the hub answered last; "" before it has. */
export async function openPlacedClient(
  flags: HubFlags,
  env: Env,
  signal: AbortSignal,
): Promise<{ readonly client: Client; url(): string }> {
  let last = "";
  const client = clientOf(await findHub(flags, env, signal), (url) => {
    last = url;
  });
  return { client, url: () => last };
}

/** The client without flags, for who has no time: never exchanges a token, for who stops half-way would lose the next one. */
export async function openClientForNow(env: Env, signal: AbortSignal): Promise<Client> {
  const logins = openLoginStore(env.configFolder);
  const asTheyAre = { ...logins, accessToken: logins.freshToken, renew: async () => undefined };
  return clientOf(await findHub({ data: undefined, hub: undefined }, env, signal, asTheyAre));
}

/**
 * The way to the hub that the flags mean; Fault `unreachable` when none runs. Which hub it is is settled now: the way to
 * it is looked for each time, so a hub that comes back on another port is found again.
 */
export async function findHub(
  flags: HubFlags,
  env: Env,
  signal: AbortSignal,
  logins: LoginStore = openLoginStore(env.configFolder),
): Promise<() => Promise<Way>> {
  const choice = chooseHub(flags, env);
  if (choice.kind === "url") {
    const { url, token } = choice;
    return token === undefined ? () => wayByLogin(logins, url, signal) : async () => wayByToken(url, token);
  }
  const here = () => wayHere(choice.folder);
  const isHere = async () => isHubThere(choice.folder) || (await readPresence(choice.folder)) !== undefined;
  if (choice.kind === "data" || (await isHere())) {
    await here();
    return here;
  }
  const last = await logins.last();
  if (last === undefined) throw nobodyRuns(choice.folder);
  return () => wayByLogin(logins, last, signal);
}

function wayByToken(url: string, token: string): Way {
  const renew = async () => {
    throw new Fault("unauthenticated", `${url} does not take the token in FED_TOKEN`, {
      hint: `It has ended, or was revoked. Make another (fed token create), or unset FED_TOKEN and sign in: fed login ${url}`,
    });
  };
  return { url, token, renew };
}

/** Whoever may read the data folder is let in by its token, which is shown to no one but a hub that lives. */
async function wayHere(folder: string): Promise<Way> {
  // In this order: the first thing a hub does once it lives is to forget the address of the one before it.
  const lives = isHubThere(folder);
  const presence = await readPresence(folder);
  if (!lives) throw presence === undefined ? nobodyRuns(folder) : hubIsDead(folder);
  if (presence === undefined) {
    throw new Fault("unreachable", `the hub of ${folder} is starting or stopping`, { hint: "Try again in a moment." });
  }
  return { url: presence.url, token: (await readFileIfThere(join(folder, "token")))?.trim() };
}

/** Its port may be anybody's by now, and anybody would get the token. */
function hubIsDead(folder: string): Fault {
  return new Fault("unreachable", `the hub of ${folder} is dead: it ended without a word`, {
    hint: "Start it again with `fed up`: it takes over what still runs.",
  });
}

/** By the sign-in that is kept for this address, if there is one. */
export async function wayByLogin(logins: LoginStore, url: string, signal: AbortSignal): Promise<Way> {
  const token = await logins.accessToken(url, signal);
  return { url, token, renew: async () => (token === undefined ? undefined : logins.renew(url, token, signal)) };
}

function nobodyRuns(folder: string): Fault {
  return new Fault("unreachable", `no hub runs on ${folder}`, {
    hint: "Start one with `fed up`, name its data folder with --data DIR, or sign in at one elsewhere: `fed login URL`.",
  });
}

/** The service a person means by `api` or `dev/api`; `environment`: the one of several. */
export async function findService(
  client: Client,
  name: string,
  signal: AbortSignal,
  environment?: string,
): Promise<ServiceStatus> {
  const status = await client.call(api.status, {}, signal);
  const named = status.services.filter((one) => one.service === name || `${one.environment}/${one.service}` === name);
  const found = environment === undefined ? named : named.filter((one) => one.environment === environment);
  if (found.length === 0 && named.length > 0) {
    throw new Fault("missing", `${name} does not run in ${environment}`, {
      hint: `It runs in: ${named.map((one) => one.environment).join(", ")}.`,
    });
  }
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
