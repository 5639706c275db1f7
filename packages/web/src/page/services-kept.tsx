import { api } from "@fed/fed/wire/api.ts";
import type { OutputOf } from "@fed/fed/wire/endpoint.ts";
import type { InstanceStatus } from "@fed/fed/wire/status.ts";
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { FileText } from "lucide-react";
import { useState } from "react";
import { client, keptKnown } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { instanceText } from "../view/event.ts";
import { momentText, plainText } from "../view/format.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Bytes, Time } from "../view/time.tsx";
import { Lines } from "./services-lines.tsx";
import type { ReleaseList } from "./services-release.ts";

interface Place {
  readonly environment: string;
  readonly service: string;
}

type KeptLog = OutputOf<typeof api.keptLogs>["logs"][number];

/** The last lines that are shown; the command line has them all. */
const tail = 1_000;

/** `present`: the instances that are not gone; when one goes there is more to ask for. */
const keptQuery = ({ environment, service }: Place, present: readonly string[]) =>
  queryOptions({
    queryKey: [...keptKnown.queryKey, environment, service, present.join()],
    queryFn: async ({ signal }) => (await client.call(api.keptLogs, { environment, service }, signal)).logs,
    // What was kept while nobody looked is asked for.
    staleTime: 0,
    placeholderData: keepPreviousData,
  });

const linesQuery = ({ environment, service }: Place, instance: string) =>
  queryOptions({
    // Not below the list's key: of one that is gone nothing changes.
    queryKey: ["keptLines", environment, service, instance],
    async queryFn({ signal }) {
      const lines: string[] = [];
      const asked = { environment, service, instance, tail, gone: "true" };
      for await (const { text } of client.stream(api.logs, asked, signal)) lines.push(text);
      return lines;
    },
  });

interface KeptOutputProps {
  readonly place: Place;
  /** The instances that there are. */
  readonly instances: readonly Pick<InstanceStatus, "id">[];
  readonly list: ReleaseList | undefined;
}

/** What instances wrote that are gone; nothing while there is none. */
export function KeptOutput({ place, instances, list }: KeptOutputProps) {
  const present = instances.map(({ id }) => id);
  const { data: logs } = useQuery(keptQuery(place, present));
  const [read, setRead] = useState<KeptLog>();
  if (logs === undefined || logs.length === 0) return null;
  return (
    <Card flush title="Output of instances that are gone" about="The end of what each wrote, as long as there is room">
      <Table label="Instances that are gone">
        <thead>
          <tr>
            <HeadCell>Instance</HeadCell>
            <HeadCell className="max-sm:hidden">Release</HeadCell>
            <HeadCell>Ended</HeadCell>
            <HeadCell className="text-right max-md:hidden">Size</HeadCell>
            <HeadCell className="text-right">
              <span className="sr-only">Show</span>
            </HeadCell>
          </tr>
        </thead>
        <tbody>
          {logs.toReversed().map((log) => (
            <KeptRow key={log.instance} log={log} list={list} show={() => setRead(log)} />
          ))}
        </tbody>
      </Table>
      {read && <KeptDialog place={place} log={read} onClose={() => setRead(undefined)} />}
    </Card>
  );
}

interface KeptRowProps {
  readonly log: KeptLog;
  readonly list: ReleaseList | undefined;
  show(): void;
}

function KeptRow({ log: { instance, release, endedMs, exit, sizeBytes }, list, show }: KeptRowProps) {
  const number = list?.releases.find(({ id }) => id === release)?.number;
  return (
    <Row>
      <Cell className="font-mono text-small" title={instance}>
        {instanceText(instance)}
      </Cell>
      <Cell className="max-sm:hidden">{number ?? <span className="text-soft">not kept</span>}</Cell>
      <Cell>
        <Time atMs={endedMs} />
        <p className="text-small text-soft [overflow-wrap:anywhere]">{plainText(exit)}</p>
      </Cell>
      <Cell className="whitespace-nowrap text-right text-soft max-md:hidden">
        <Bytes bytes={sizeBytes} />
      </Cell>
      <Cell className="text-right">
        <Button size="small" icon={FileText} onClick={show} aria-label={`Show what ${instanceText(instance)} wrote`}>
          Show
        </Button>
      </Cell>
    </Row>
  );
}

interface KeptDialogProps {
  readonly place: Place;
  readonly log: KeptLog;
  onClose(): void;
}

function KeptDialog({ place, log: { instance, startedMs, endedMs }, onClose }: KeptDialogProps) {
  const { data: lines, error, refetch } = useQuery(linesQuery(place, instance));
  return (
    <Dialog
      open
      wide
      onOpenChange={onClose}
      title={`What ${instanceText(instance)} wrote`}
      about={`It ran from ${momentText(startedMs)} to ${momentText(endedMs)}.`}
    >
      {lines && lines.length === 0 && <p className="text-soft">It wrote nothing.</p>}
      {lines && lines.length > 0 && (
        <Lines label={lines.length < tail ? "All that is kept" : `The last ${tail} lines`} lines={lines} />
      )}
      {error && !lines && <ErrorState thrown={error} small retry={() => void refetch()} />}
      {!error && !lines && <SkeletonRows label="Loading the output" />}
    </Dialog>
  );
}
