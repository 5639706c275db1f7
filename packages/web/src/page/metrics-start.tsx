import { useQuery } from "@tanstack/react-query";
import { ChartSpline } from "lucide-react";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { forgetQueries, useQueryHistory } from "./metrics-history.ts";
import { metricNamesQuery } from "./metrics-names.ts";
import { examplesOf } from "./metrics-propose.ts";

const recentShown = 8;

/** Before the first query: what there is to ask, and what was asked before. */
export function Start({ onChoose }: { onChoose(query: string): void }) {
  const { data: names, error, refetch } = useQuery(metricNamesQuery);
  const recent = useQueryHistory();
  if (error) return <ErrorState thrown={error} retry={() => void refetch()} />;
  if (names === undefined) {
    return (
      <Card flush>
        <SkeletonRows />
      </Card>
    );
  }
  if (names.length === 0) {
    return (
      <Card>
        <EmptyState icon={ChartSpline} title="Nothing was measured yet">
          <p>
            The hub writes down its own metrics every 15 seconds, beginning a moment after its start. Others come by
            remote write, to /api/v1/write.
          </p>
          <Button onClick={() => void refetch()}>Look again</Button>
        </EmptyState>
      </Card>
    );
  }
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Card
        flush
        title="To begin with"
        about={`${names.length.toLocaleString("en")} metrics are there; type a part of a name in the box`}
      >
        <QueryList queries={examplesOf(names)} onChoose={onChoose} />
      </Card>
      {recent.length > 0 && (
        <Card
          flush
          title="Asked last on this device"
          actions={
            <Button size="small" kind="quiet" onClick={forgetQueries}>
              Forget
            </Button>
          }
        >
          <QueryList
            queries={recent.slice(0, recentShown).map((query) => ({ query, about: "" }))}
            onChoose={onChoose}
          />
        </Card>
      )}
    </div>
  );
}

interface QueryListProps {
  readonly queries: readonly { readonly query: string; readonly about: string }[];
  onChoose(query: string): void;
}

function QueryList({ queries, onChoose }: QueryListProps) {
  return (
    <ul>
      {queries.map(({ query, about }) => (
        <li key={query} className="border-line border-b last:border-b-0">
          <button
            type="button"
            onClick={() => onChoose(query)}
            className="w-full px-4 py-row text-left outline-offset-[-2px] hover:bg-hover"
          >
            <span className="block font-mono text-small [overflow-wrap:anywhere]">{query}</span>
            {about !== "" && <span className="block text-small text-soft">{about}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
