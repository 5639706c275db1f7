import { api } from "@fed/fed/wire/api.ts";
import { makeClient } from "@fed/fed/wire/client.ts";
import { mayDo, type Role } from "@fed/fed/wire/role.ts";
import type { Me } from "@fed/fed/wire/user.ts";
import { QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { readFault } from "./view/fault.ts";

/** What is known of the hub, and the one way to ask it. Kept fresh by the stream of events, never by a timer. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, thrown) => failures < 3 && ["unreachable", "timeout"].includes(readFault(thrown).code),
    },
  },
});

export const client = makeClient({
  url: location.origin,
  headers: (): Record<string, string> => {
    const csrf = queries.getQueryData(meQuery.queryKey)?.csrf;
    return csrf === undefined ? {} : { "x-csrf-token": csrf };
  },
});

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }): Promise<Me> => client.call(api.me, {}, signal),
});
export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => client.call(api.status, {}, signal),
});
export const machinesQuery = queryOptions({
  queryKey: ["machines"],
  queryFn: async ({ signal }) => (await client.call(api.machines, {}, signal)).machines,
});
/** All that is known of releases and rollouts; a query of one service is below it. */
export const releasesKnown = { queryKey: ["releases"] } as const;
export const releasesQuery = (environment: string, service: string) =>
  queryOptions({
    queryKey: [...releasesKnown.queryKey, environment, service],
    queryFn: ({ signal }) => client.call(api.releases, { environment, service }, signal),
  });
/** All that is known of the output of instances that are gone. */
export const keptKnown = { queryKey: ["kept"] } as const;
export const loopsQuery = queryOptions({
  queryKey: ["loops"],
  queryFn: async ({ signal }) => (await client.call(api.loops, {}, signal)).loops,
});
export const usersQuery = queryOptions({
  queryKey: ["users"],
  queryFn: async ({ signal }) => (await client.call(api.users, {}, signal)).users,
});
export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: async ({ signal }) => (await client.call(api.tokens, {}, signal)).tokens,
});
export const secretsQuery = queryOptions({
  queryKey: ["secrets"],
  queryFn: ({ signal }) => client.call(api.secrets, {}, signal),
});
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => client.call(api.health, {}, signal),
});
/** The newest events when the page was opened; later ones come by the stream. */
export const recentEventsQuery = queryOptions({
  queryKey: ["events", "recent"],
  queryFn: ({ signal }) => client.call(api.events, { limit: 100 }, signal),
});

/** Who is signed in; only on pages behind the sign-in. */
export function useMe(): Me | undefined {
  return useQuery(meQuery).data;
}

/** Why the signed-in person may not do this; undefined when they may. */
export function useBarrier(needs: Role): string | undefined {
  const me = useMe();
  if (me === undefined || mayDo(me.role, needs)) return undefined;
  return `Only ${needs === "admin" ? "an admin" : `an ${needs} or an admin`} may do this; you are ${me.role}.`;
}

/** From now on this is who is signed in, and nothing that another one saw is kept. */
export function signedIn(me: Me): void {
  queries.clear();
  queries.setQueryData(meQuery.queryKey, me);
}

export function signedOut(): void {
  queries.clear();
}
