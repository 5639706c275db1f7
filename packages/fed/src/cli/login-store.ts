import { join } from "node:path";
import { z } from "zod";
import { sleep, systemClock } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { ensureFolder } from "#disk/folder.ts";
import { holdLock } from "#disk/lock.ts";
import { api } from "#wire/api.ts";
import { makeClient } from "#wire/client.ts";
import type { Grant } from "#wire/user.ts";

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

type Logins = z.infer<typeof fileShape>;

/** The sign-ins of this person at hubs elsewhere: `logins.json`, readable by its owner only. */
export interface LoginStore {
  /** Address of the hub signed in at last. */
  last(): Promise<string | undefined>;
  nameAt(url: string): Promise<string | undefined>;
  save(url: string, grant: Grant): Promise<void>;
  /** True when there was one. */
  remove(url: string): Promise<boolean>;
  /** A good access token, fetched anew when the old one is about to end; undefined when nobody is signed in there. */
  accessToken(url: string, signal: AbortSignal): Promise<string | undefined>;
}

/** So long before its end a token is not used any more: the request must arrive with it. */
const earlyMs = 30_000;
const waitMs = 50;

export function openLoginStore(folder: string): LoginStore {
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

  /** One process at a time: a refresh token works once, and showing it twice ends the session. */
  async function alone<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await ensureFolder(folder);
    for (;;) {
      try {
        const lock = holdLock(`${path}.lock`);
        return await work().finally(() => lock.close());
      } catch (thrown) {
        if (!isFault(thrown) || thrown.code !== "conflict") throw thrown;
      }
      await sleep(systemClock, waitMs, signal);
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
        expiresMs: Date.now() + grant.expiresInSeconds * 1_000,
      },
    },
  });

  const without = ({ logins, last }: Logins, url: string): Logins => {
    const { [url]: _, ...rest } = logins;
    return last === undefined || last === url ? { logins: rest } : { logins: rest, last };
  };

  return {
    last: async () => (await read()).last,
    nameAt: async (url) => (await read()).logins[url]?.name,
    save: (url, grant) => alone(async () => write({ ...withGrant(await read(), url, grant), last: url })),
    remove: (url) =>
      alone(async () => {
        const all = await read();
        if (all.logins[url] === undefined) return false;
        await write(without(all, url));
        return true;
      }),
    async accessToken(url, signal) {
      const fresh = (login: Logins["logins"][string] | undefined) =>
        login && login.expiresMs - earlyMs > Date.now() ? login.accessToken : undefined;
      const known = (await read()).logins[url];
      if (known === undefined) return undefined;
      return (
        fresh(known) ??
        alone(async () => {
          const all = await read();
          const login = all.logins[url];
          if (login === undefined) return undefined;
          const renewed = fresh(login);
          if (renewed !== undefined) return renewed;
          try {
            const grant = await makeClient({ url }).call(api.refresh, { refreshToken: login.refreshToken }, signal);
            await write(withGrant(all, url, grant));
            return grant.accessToken;
          } catch (thrown) {
            if (!isFault(thrown) || thrown.code !== "unauthenticated") throw thrown;
            await write(without(all, url));
            throw new Fault("unauthenticated", `the sign-in of ${login.name} at ${url} has ended`, {
              hint: `Sign in again: fed login ${url}`,
              cause: thrown,
            });
          }
        }, signal)
      );
    },
  };
}
