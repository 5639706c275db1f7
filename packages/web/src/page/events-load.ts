import { api } from "@fed/fed/wire/api.ts";
import type { AnyEvent, EventType } from "@fed/fed/wire/event.ts";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { client, recentEventsQuery } from "../hub.ts";
import { useLiveEvents } from "../live.ts";
import { mergeEvents, mostEvents, typeQuery } from "./events-list.ts";

const pageSize = 100;

export interface LoadedEvents {
  /** Newest first; those of the types that are meant, of every subject that is not asked for. */
  readonly events: readonly AnyEvent[];
  readonly loading: boolean;
  /** What was thrown, when nothing could be loaded. */
  readonly error: unknown;
  retry(): void;
  /** How it is with older ones: there are some, they are on their way, there are none, or enough are loaded. */
  readonly older: "some" | "loading" | "none" | "enough";
  loadOlder(): void;
}

/** The events of the log, page by page from the newest, and those that happen meanwhile. */
export function useEvents(types: readonly EventType[], subject: string): LoadedEvents {
  const type = typeQuery(types);
  const query = useInfiniteQuery({
    // Below the key of the recent ones: what makes those stale makes these stale.
    queryKey: [...recentEventsQuery.queryKey, "pages", type, subject],
    queryFn: ({ signal, pageParam }) =>
      client.call(
        api.events,
        { limit: pageSize, before: pageParam, type: type || undefined, subject: subject || undefined },
        signal,
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.more,
    // What happened while nobody looked is not in the pages of last time.
    gcTime: 0,
    staleTime: 0,
    refetchOnMount: "always",
    // Until other pages are there, these are filtered on the page.
    placeholderData: keepPreviousData,
  });
  const live = useLiveEvents();
  const events = useMemo(() => {
    const loaded = (query.data?.pages ?? []).flatMap((page) => page.events);
    const oldest = loaded.at(-1)?.sequence ?? 0;
    const noMore = query.data !== undefined && !query.hasNextPage;
    // A live one from before the oldest page would leave a hole between.
    const joining = query.data === undefined ? [] : live.filter(({ sequence }) => noMore || sequence >= oldest);
    return mergeEvents(mergeEvents([], loaded), joining);
  }, [query.data, query.hasNextPage, live]);
  return {
    events,
    loading: query.isPending,
    error: query.data === undefined ? query.error : null,
    retry: () => void query.refetch(),
    older: olderOf(query, events.length),
    loadOlder: () => void query.fetchNextPage(),
  };
}

function olderOf(
  { isFetchingNextPage, hasNextPage }: { readonly isFetchingNextPage: boolean; readonly hasNextPage: boolean },
  loaded: number,
): LoadedEvents["older"] {
  if (isFetchingNextPage) return "loading";
  if (!hasNextPage) return "none";
  return loaded >= mostEvents ? "enough" : "some";
}
