import type { WireRelease } from "@fed/fed/wire/release.ts";
import { History } from "lucide-react";
import { useState } from "react";
import { useObstacle } from "../live.ts";
import { Badge } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { actorText } from "../view/event.ts";
import { artifactText, causeText, isOpen, shortCommit } from "../view/release.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import { blockOf, makerOf, type ReleaseList } from "./services-release.ts";
import { RollbackDialog } from "./services-rollback.tsx";

interface ReleasesProps {
  readonly place: { readonly environment: string; readonly service: string };
  readonly list: ReleaseList;
}

/** The releases that are kept, newest first, each with the way back to it. */
export function Releases({ place, list }: ReleasesProps) {
  const [to, setTo] = useState<number>();
  const obstacle = useObstacle("operator");
  const block = obstacle ?? blockOf(list);
  return (
    <Card flush title="Releases" about="What can be made to run again exactly as it was">
      {list.releases.length === 0 ? (
        <p className="p-4 text-soft">It has no release yet: the first one is made when it is started.</p>
      ) : (
        <Table label="Releases">
          <thead>
            <tr>
              <HeadCell>Release</HeadCell>
              <HeadCell className="max-md:hidden">Made of</HeadCell>
              <HeadCell className="max-sm:hidden">Made</HeadCell>
              <HeadCell className="max-lg:hidden">By</HeadCell>
              <HeadCell className="max-lg:hidden">Cause</HeadCell>
              <HeadCell className="text-right">
                <span className="sr-only">Roll back</span>
              </HeadCell>
            </tr>
          </thead>
          <tbody>
            {list.releases.map((release) => (
              <ReleaseRow key={release.id} {...{ release, list, block }} goBack={() => setTo(release.number)} />
            ))}
          </tbody>
        </Table>
      )}
      {to !== undefined && <RollbackDialog place={place} list={list} to={to} onClose={() => setTo(undefined)} />}
    </Card>
  );
}

interface ReleaseRowProps {
  readonly release: WireRelease;
  readonly list: ReleaseList;
  /** Why it cannot be gone back to just now. */
  readonly block: string | undefined;
  goBack(): void;
}

function ReleaseRow({ release, list, block, goBack }: ReleaseRowProps) {
  const { number, madeMs, madeBy, wanted, good } = release;
  const maker = makerOf(list, release);
  const cause = maker && causeText(maker);
  return (
    <Row>
      <Cell>
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="whitespace-nowrap font-medium">Release {number}</span>
          <Standing {...{ wanted, good }} open={list.rollouts.some(isOpen)} />
        </span>
        <span className="mt-0.5 block md:hidden">
          <Artifact release={release} />
        </span>
        <span className="block text-small text-soft lg:hidden">
          {cause !== undefined && `${cause}, `}by {actorText(madeBy)}
          <span className="sm:hidden">
            , <Time atMs={madeMs} />
          </span>
        </span>
      </Cell>
      <Cell className="max-md:hidden">
        <Artifact release={release} />
      </Cell>
      <Cell className="text-soft max-sm:hidden">
        <Time atMs={madeMs} />
      </Cell>
      <Cell className="max-lg:hidden">{actorText(madeBy)}</Cell>
      <Cell className="text-soft max-lg:hidden">{cause ?? "not kept"}</Cell>
      <Cell className="text-right">
        {good && !wanted && (
          <Button
            size="small"
            icon={History}
            reason={block}
            onClick={goBack}
            aria-label={`Roll back to release ${number}`}
          >
            Roll back
          </Button>
        )}
      </Cell>
    </Row>
  );
}

function Standing({ wanted, good, open }: Pick<WireRelease, "wanted" | "good"> & { readonly open: boolean }) {
  if (wanted && (good || open)) return <Badge tone={good ? "good" : "info"}>{good ? "current" : "on its way"}</Badge>;
  return good ? null : <Badge tone="warn">{wanted ? "chosen, never served" : "never served"}</Badge>;
}

function Artifact({ release: { artifact } }: { readonly release: WireRelease }) {
  const { text, title } = artifactText(artifact);
  const commit = artifact.kind === "image" ? artifact.commit : undefined;
  const named = artifact.kind === "image" ? (artifact.reference ?? artifact.source) : undefined;
  return (
    <span className="text-small" title={title}>
      <span className="block font-mono [overflow-wrap:anywhere]">{text}</span>
      {(named !== undefined || commit !== undefined) && (
        <span className="block text-soft [overflow-wrap:anywhere]">
          {[named, commit === undefined ? undefined : `commit ${shortCommit(commit)}`].filter(Boolean).join(", ")}
        </span>
      )}
    </span>
  );
}
