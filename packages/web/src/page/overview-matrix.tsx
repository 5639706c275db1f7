import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { Link } from "@tanstack/react-router";
import { Boxes } from "lucide-react";
import { StateMark } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { cx } from "../view/class-names.ts";
import { InlineCode } from "../view/code.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { lookOfService } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { toneText } from "../view/tone.ts";
import { matrixOf } from "./overview-summary.ts";

/** Environments × services, each state a way to its page. Where there is no room for words the marks stand alone. */
export function ServiceMatrix({ status }: { readonly status: Pick<HubStatus, "environments" | "services"> }) {
  const { environments, rows } = matrixOf(status);
  if (rows.length === 0) {
    return (
      <Card title="Services">
        <EmptyState icon={Boxes} title="The lab has no services yet">
          <p>
            Add one to <InlineCode>services</InlineCode> in the lab file and save it: it starts at once.
          </p>
        </EmptyState>
      </Card>
    );
  }
  return (
    <Card title="Services" flush className="@container">
      <Table label="Services by environment">
        <thead>
          <tr>
            <HeadCell className="sticky left-0 z-10 bg-surface">Service</HeadCell>
            {environments.map((environment) => (
              <HeadCell
                key={environment}
                className="@max-xl:max-w-24 @max-xl:truncate @max-xl:px-2"
                title={environment}
              >
                {environment}
              </HeadCell>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ service, cells }) => (
            <Row key={service}>
              <Cell className="sticky left-0 z-10 min-w-36 bg-surface font-medium [overflow-wrap:anywhere]">
                {service}
              </Cell>
              {cells.map((cell, at) => (
                <Cell key={environments[at]} flush>
                  <State cell={cell} bare={wordsFrom(environments.length)} />
                </Cell>
              ))}
            </Row>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

/** From which width of the card there is room for words; below it they are only read out. */
function wordsFrom(environments: number): string {
  if (environments <= 1) return "";
  if (environments === 2) return "@max-md:sr-only";
  return environments <= 3 ? "@max-xl:sr-only" : "@max-4xl:sr-only";
}

function State({ cell, bare }: { readonly cell: ServiceStatus | undefined; readonly bare: string }) {
  if (!cell) {
    return (
      <span className="px-4 text-faint @max-xl:px-2">
        <span aria-hidden>–</span>
        <span className="sr-only">does not run here</span>
      </span>
    );
  }
  const { environment, service, state, replicas, release } = cell;
  const look = lookOfService(state);
  return (
    <Link
      to="/services/$environment/$service"
      params={{ environment, service }}
      title={`${environment}/${service}: ${look.word}${releaseTitle(cell)}`}
      className="flex min-h-9 items-center gap-1.5 whitespace-nowrap px-4 outline-offset-[-2px] hover:bg-hover pointer-coarse:min-h-11 @max-xl:px-2"
    >
      <StateMark look={look} />
      <span className={cx(toneText[look.tone], bare)}>{look.word}</span>
      {release !== undefined && (
        <span className="text-small text-soft">
          <span className="sr-only">release</span> #{release}
        </span>
      )}
      {replicas.wanted > 1 && (
        <span className="text-small text-soft">
          {replicas.healthy}/{replicas.wanted}
        </span>
      )}
    </Link>
  );
}

function releaseTitle({ release, version }: ServiceStatus): string {
  if (release === undefined) return "";
  return `, release ${release}${version === undefined ? "" : ` (${version})`}`;
}
