import { join } from "node:path";
import { z } from "zod";
import { type Clock, sleep, systemClock, withDeadline } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { ensureFolder } from "#disk/folder.ts";
import { holdLock, type Lock } from "#disk/lock.ts";
import { api } from "#wire/api.ts";
import { type Fetch, makeClient } from "#wire/client.ts";
import type { Grant } from "#wire/user.ts";
import { httpFetch } from "./http-fetch.ts";

const loginShape = z.object({
  name: z.string(),
  accessToken: z.string(),
  refreshToken: z.string(),
  /** Of the access token; milliseconds since the epoch. */
  expiresMs: z.number(),
});
const fileShape = z.object({
  /** By address of the hub. */
  logins: z.record(z.string(), loginShape),
  last: z.string().optional(),
});

type Login = z.infer<typeof loginShape>;
type Logins = z.infer<typeof fileShape>;

/** The sign-ins of this person at hubs elsewhere: `logins.json`, readable by its owner only. */
export interface LoginStore {
  /** Address of the hub signed in at last. */
  last(): Promise<string | undefined>;
  nameAt(url: string): Promise<string | undefined>;
  save(url: string, grant: Grant): Promise<void>;
  /** True when there was one. */
  remove(url: string): Promise<boolean>;
  /** A good access token that is there already. */
  freshToken(url: string): Promise<string | undefined>;
  /** A good access token, fetched anew when the old one is about to end; undefined when nobody is signed in there. */
  accessToken(url: string, signal: AbortSignal): Promise<string | undefined>;
  /** Another token than this one, which the hub has refused though it looked good; undefined as above. */
  renew(url: string, refused: string, signal: AbortSignal): Promise<string | undefined>;
}

export interface LoginStoreOptions {
  readonly clock?: Clock;
  readonly fetch?: Fetch;
}

/** So long before its end a token is not used any more: the request must arrive with it. */
const earlyMs = 30_000;
/** How long the hub may take to exchange a refresh token. */
const refreshMs = 15_000;
/** Between two looks whether the lock is free, and how long in all: longer than one refresh. */
const lookMs = 50;
const lockMs = 20_000;

export function openLoginStore(folder: string, options: LoginStoreOptions = {}): LoginStore {
  const { clock = systemClock } = options;
  const path = join(folder, "logins.json");

  async function read(): Promise<Logins> {
    const text = await readFileIfThere(path);
    if (text === undefined) return { logins: {} };
    try {
      return fileShape.parse(JSON.parse(text));
    } catch (cause) {
      throw new Fault("invalid", `${path} is not what fed wrote`, {
        hint: "Move it away and sign in again: `fed login URL`.",
        cause,
      });
    }
  }

  async function write(logins: Logins): Promise<void> {
    await writeFileAtomic(path, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 });
  }

  async function waitForLock(signal: AbortSignal | undefined): Promise<Lock> {
    await ensureFolder(folder);
    const untilMs = clock.tickMs() + lockMs;
    for (;;) {
      try {
        return holdLock(`${path}.lock`);
      } catch (thrown) {
        if (!isFault(thrown) || thrown.code !== "conflict" || clock.tickMs() > untilMs) throw thrown;
      }
      await sleep(clock, lookMs, signal);
    }
  }

  /** One process at a time: a refresh token works once, and showing it twice ends the session. */
  async function alone<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const lock = await waitForLock(signal);
    try {
      return await work();
    } finally {
      lock.close();
    }
  }

  const withGrant = (all: Logins, url: string, grant: Grant): Logins => ({
    ...all,
    logins: {
      ...all.logins,
      [url]: {
        name: grant.user.name,
        accessToken: grant.accessToken,
        refreshToken: grant.refreshToken,
        expiresMs: clock.nowMs() + grant.expiresInSeconds * 1_000,
      },
    },
  });

  const without = ({ logins, last }: Logins, url: string): Logins => {
    const { [url]: _, ...rest } = logins;
    return last === undefined ? { logins: rest } : { logins: rest, last };
  };

  const fresh = (login: Login) => (login.expiresMs - earlyMs > clock.nowMs() ? login.accessToken : undefined);

  /**
   * Listens to no signal: once the refresh token is shown it is spent, and the pair that comes for it must be kept before
   * anything may stop.
   */
  async function refresh(all: Logins, url: string, login: Login): Promise<string> {
    const client = makeClient({ url, fetch: options.fetch ?? httpFetch });
    try {
      const grant = await withDeadline(clock, refreshMs, `the next token from ${url}`, (deadline) =>
        client.call(api.refresh, { refreshToken: login.refreshToken }, deadline),
      );
      await write(withGrant(all, url, grant));
      return grant.accessToken;
    } catch (thrown) {
      if (!isFault(thrown) || thrown.code !== "unauthenticated") throw thrown;
      // Which hub it was stays known: `fed login` alone leads there again.
      await write(without(all, url));
      throw new Fault("unauthenticated", `the sign-in of ${login.name} at ${url} has ended`, {
        hint: `Sign in again: fed login ${url}`,
        cause: thrown,
      });
    }
  }

  /** The token that `good` finds in the file, by now perhaps written by another process; otherwise the next one. */
  async function tokenOr(
    url: string,
    good: (login: Login) => string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const token = await alone(async () => {
      const all = await read();
      const login = all.logins[url];
      if (login === undefined) return undefined;
      return good(login) ?? (await refresh(all, url, login));
    }, signal);
    signal.throwIfAborted();
    return token;
  }

  return {
    last: async () => (await read()).last,
    nameAt: async (url) => (await read()).logins[url]?.name,
    save: (url, grant) => alone(async () => write({ ...withGrant(await read(), url, grant), last: url })),
    remove: (url) =>
      alone(async () => {
        const all = await read();
        if (all.logins[url] === undefined) return false;
        const { logins, last } = without(all, url);
        await write(last === undefined || last === url ? { logins } : { logins, last });
        return true;
      }),
    async freshToken(url) {
      const login = (await read()).logins[url];
      return login && fresh(login);
    },
    async accessToken(url, signal) {
      const login = (await read()).logins[url];
      return login && (fresh(login) ?? tokenOr(url, fresh, signal));
    },
    renew: (url, refused, signal) =>
      tokenOr(url, (login) => (login.accessToken === refused ? undefined : fresh(login)), signal),
  };
}
