import { api } from "@fed/fed/wire/api.ts";
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { client, machinesQuery } from "../hub.ts";

/** One machine with its lists. Below the key of all: what makes those stale makes it stale. */
export const machineQuery = (name: string) =>
  queryOptions({
    queryKey: [...machinesQuery.queryKey, name],
    queryFn: ({ signal }) => client.call(api.machine, { name }, signal),
  });

/** Asks for it anew, after a deed. */
export async function refreshMachine(queries: QueryClient, name: string): Promise<void> {
  await queries.invalidateQueries({ queryKey: machinesQuery.queryKey, exact: true });
  await queries.invalidateQueries({ queryKey: machineQuery(name).queryKey });
}
