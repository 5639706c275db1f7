import type { LoopStatus } from "@fed/fed/wire/loop.ts";
import { useQuery } from "@tanstack/react-query";
import { healthQuery, loopsQuery, statusQuery } from "../hub.ts";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfLoop } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Duration, Time } from "../view/time.tsx";

/** Loops tell nobody that they ran: as long as somebody looks, they are asked. */
const askEveryMs = 5000;

export function AboutSettings() {
  const { data: health } = useQuery(healthQuery);
  const { data: status } = useQuery(statusQuery);
  return (
    <div className="flex flex-col gap-4">
      <Card title="About this hub">
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2">
          <dt className="text-soft">Version</dt>
          <dd>{health?.version ?? "…"}</dd>
          <dt className="text-soft">Process</dt>
          <dd>{health?.pid ?? "…"}</dd>
          <dt className="text-soft">Lab</dt>
          <dd>{status?.lab.name ?? "…"}</dd>
          <dt className="text-soft">Its file</dt>
          <dd className="font-mono text-small [overflow-wrap:anywhere]">{status?.lab.file ?? "…"}</dd>
          <dt className="text-soft">Read</dt>
          <dd>{status ? <Time atMs={status.lab.acceptedMs} /> : "…"}</dd>
        </dl>
      </Card>
      <Loops />
    </div>
  );
}

function Loops() {
  const { data: loops, error, refetch } = useQuery({ ...loopsQuery, refetchInterval: askEveryMs, staleTime: 0 });
  return (
    <Card flush title="Loops" about="What the hub does again and again, and how it went last">
      {error && !loops && <ErrorState thrown={error} retry={refetch} />}
      {!loops && !error && <SkeletonRows label="Loading loops" />}
      {loops?.length === 0 && <p className="p-4 text-soft">The hub runs no loops.</p>}
      {loops && loops.length > 0 && (
        <Table label="Loops">
          <thead>
            <tr>
              <HeadCell>Loop</HeadCell>
              <HeadCell>Last run</HeadCell>
              <HeadCell className="text-right max-sm:hidden">Every</HeadCell>
              <HeadCell className="text-right max-sm:hidden">Took</HeadCell>
              <HeadCell className="text-right max-md:hidden">Runs</HeadCell>
              <HeadCell className="text-right max-md:hidden">Failures</HeadCell>
              <HeadCell className="text-right">Next</HeadCell>
            </tr>
          </thead>
          <tbody>
            {loops.map((loop) => (
              <LoopRow key={loop.name} loop={loop} />
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}

function LoopRow({ loop }: { readonly loop: LoopStatus }) {
  const { name, intervalMs, last, runs, failures, nextMs } = loop;
  const none = <span className="text-faint">–</span>;
  return (
    <Row>
      <Cell className="font-medium">{name}</Cell>
      <Cell>
        <span className="flex flex-wrap items-center gap-x-2">
          <StateDot look={lookOfLoop(loop)} />
          {last && <Time atMs={last.startedMs} className="text-small text-soft" />}
        </span>
        {last && last.reason !== "" && <p className="text-small text-soft [overflow-wrap:anywhere]">{last.reason}</p>}
      </Cell>
      <Cell className="whitespace-nowrap text-right max-sm:hidden">
        {intervalMs > 0 ? <Duration ms={intervalMs} /> : <span className="text-soft">when needed</span>}
      </Cell>
      <Cell className="whitespace-nowrap text-right max-sm:hidden">{last ? <Duration ms={last.tookMs} /> : none}</Cell>
      <Cell className="text-right max-md:hidden">{runs.toLocaleString("en")}</Cell>
      <Cell className="text-right max-md:hidden">{failures.toLocaleString("en")}</Cell>
      <Cell className="whitespace-nowrap text-right">{nextMs === undefined ? none : <Time atMs={nextMs} />}</Cell>
    </Row>
  );
}
