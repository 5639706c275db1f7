import type { WireContainer, WireProcess, WireStorage, WireUnit, WireUpdate } from "@fed/fed/wire/machine.ts";
import { Badge, StateDot } from "../view/badge.tsx";
import { InlineCode } from "../view/code.tsx";
import { bytesText, countText, plainText } from "../view/format.ts";
import { Cell, Row } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import type { Look } from "../view/tone.ts";
import { MachineList } from "./machine-list.tsx";
import { lookOfContainer, lookOfUnit, worstFirst } from "./machine-trouble.ts";

interface ListProps<T> {
  readonly items: readonly T[] | undefined;
  readonly answered: boolean;
}

const right = "text-right whitespace-nowrap";
const none = <span className="text-faint">–</span>;

const coresText = (cores: number | undefined) => (cores === undefined ? none : `${(cores * 100).toFixed(1)} %`);
const sizeText = (bytes: number | undefined) => (bytes === undefined ? none : bytesText(bytes));

export function UnitList({ items, answered }: ListProps<WireUnit>) {
  return (
    <MachineList
      {...{ title: "Units", one: "unit", answered }}
      items={items && worstFirst(items, lookOfUnit)}
      none="It has no units."
      untold="Units are told by machines with systemd; nothing has come yet, or it has none."
      columns={[
        { word: "Unit" },
        { word: "State", className: "w-44 max-sm:w-32 max-sm:px-2" },
        { word: "Restarts", className: "w-24 text-right max-md:hidden" },
        { word: "Memory", className: "w-28 text-right max-sm:hidden" },
      ]}
      textOf={({ name, description, active, sub }) => `${name} ${description} ${active} ${sub}`}
      keyOf={({ name }) => name}
      row={(unit) => (
        <Row>
          <NameCell name={unit.name} more={unit.description === unit.name ? "" : unit.description} />
          <Cell className="truncate max-sm:px-2">
            <StateDot look={lookOfUnit(unit)} />
          </Cell>
          <Cell className={`${right} max-md:hidden`}>{unit.restarts}</Cell>
          <Cell className={`${right} max-sm:hidden`}>{sizeText(unit.memoryBytes)}</Cell>
        </Row>
      )}
    />
  );
}

export function ContainerList({ items, answered }: ListProps<WireContainer>) {
  return (
    <MachineList
      {...{ title: "Containers", one: "container", answered }}
      items={items && worstFirst(items, lookOfContainer)}
      none="No container is there."
      untold="No engine of containers has answered on it: neither Docker nor Podman, or the login may not ask them."
      columns={[
        { word: "Container" },
        { word: "State", className: "w-40 max-sm:w-32 max-sm:px-2" },
        { word: "CPU", className: "w-24 text-right max-sm:hidden" },
        { word: "Memory", className: "w-40 text-right max-sm:hidden" },
        { word: "Restarts", className: "w-24 text-right max-md:hidden" },
        { word: "Started", className: "w-28 text-right max-lg:hidden" },
      ]}
      textOf={({ name, image, state, health = "" }) => `${name} ${image} ${state} ${health}`}
      keyOf={({ engine, id }) => `${engine} ${id}`}
      row={(one) => (
        <Row>
          <NameCell name={one.name} more={`${one.image} · ${one.engine}${oomText(one.oomKills)}`} />
          <Cell className="truncate max-sm:px-2">
            <StateDot look={lookOfContainer(one)} />
          </Cell>
          <Cell className={`${right} max-sm:hidden`}>{coresText(one.cpu)}</Cell>
          <Cell className={`${right} max-sm:hidden`}>
            {sizeText(one.memoryBytes)}
            {one.memoryLimitBytes !== undefined && (
              <span className="text-soft"> of {bytesText(one.memoryLimitBytes)}</span>
            )}
          </Cell>
          <Cell className={`${right} max-md:hidden`}>{one.restarts ?? none}</Cell>
          <Cell className={`${right} max-lg:hidden`}>
            {one.startedMs === undefined ? none : <Time atMs={one.startedMs} />}
          </Cell>
        </Row>
      )}
    />
  );
}

const oomText = (kills = 0) => (kills > 0 ? ` · ended for its memory ${countText(kills, "time")}` : "");

export function ProcessList({ items, answered }: ListProps<WireProcess>) {
  return (
    <MachineList
      {...{ title: "Processes", one: "process", answered }}
      items={items && [...items].sort((a, b) => (b.cpu ?? 0) - (a.cpu ?? 0) || b.memoryBytes - a.memoryBytes)}
      none="No process was told."
      untold="Its processes were not told yet."
      columns={[
        { word: "Process" },
        { word: "PID", className: "w-24 text-right max-sm:hidden" },
        { word: "User", className: "w-32 max-md:hidden" },
        { word: "CPU", className: "w-24 text-right max-sm:w-20 max-sm:px-2" },
        { word: "Memory", className: "w-28 text-right max-sm:w-24 max-sm:px-2" },
        { word: "Started", className: "w-28 text-right max-lg:hidden" },
      ]}
      textOf={({ name, command = "", user, pid }) => `${name} ${command} ${user} ${pid}`}
      keyOf={({ pid, startedMs }) => `${pid} ${startedMs}`}
      row={(one) => (
        <Row>
          <NameCell name={one.name} more={one.command ?? ""} code />
          <Cell className={`${right} max-sm:hidden`}>{one.pid}</Cell>
          <Cell className="truncate max-md:hidden">{plainText(one.user)}</Cell>
          <Cell className={`${right} max-sm:px-2`}>{coresText(one.cpu)}</Cell>
          <Cell className={`${right} max-sm:px-2`}>{bytesText(one.memoryBytes)}</Cell>
          <Cell className={`${right} max-lg:hidden`}>
            <Time atMs={one.startedMs} />
          </Cell>
        </Row>
      )}
    />
  );
}

export function UpdateList({ items, answered }: ListProps<WireUpdate>) {
  return (
    <MachineList
      {...{ title: "Updates", one: "update", answered }}
      items={items && [...items].sort((a, b) => Number(b.security) - Number(a.security) || (a.name < b.name ? -1 : 1))}
      none="Everything that is installed is the newest it knows of."
      untold="Which packages are out of date is looked at once an hour, and was not told yet."
      columns={[
        { word: "Package" },
        { word: "Installed", className: "w-52 max-sm:hidden" },
        { word: "New", className: "w-52 max-sm:w-40 max-sm:px-2" },
        { word: "Kind", className: "w-32 max-md:hidden" },
      ]}
      textOf={({ name, security, manager }) => `${name} ${manager} ${security ? "security" : ""}`}
      keyOf={({ manager, name, next }) => `${manager} ${name} ${next}`}
      row={(one) => (
        <Row>
          <NameCell name={one.name} more={one.security ? "security" : one.manager} moreOn="md:hidden" />
          <Cell className="truncate font-mono text-small max-sm:hidden">{plainText(one.current ?? "not yet")}</Cell>
          <Cell className="truncate font-mono text-small max-sm:px-2">{plainText(one.next)}</Cell>
          <Cell className="max-md:hidden">
            {one.security ? <Badge tone="warn">security</Badge> : <span className="text-soft">{one.manager}</span>}
          </Cell>
        </Row>
      )}
    />
  );
}

const healths: Readonly<Record<WireStorage["health"], Look>> = {
  good: { word: "good", tone: "good" },
  warning: { word: "warning", tone: "warn" },
  bad: { word: "bad", tone: "bad" },
  unknown: { word: "not known", tone: "idle" },
};

export function StorageList({ items, answered }: ListProps<WireStorage>) {
  return (
    <MachineList
      {...{ title: "Storage", one: "device", many: "devices", answered }}
      items={items && worstFirst(items, ({ health }) => healths[health])}
      none="No disk, array or pool said how it is."
      untold={
        <>
          How disks (<InlineCode>smartctl</InlineCode>), arrays (md) and pools (ZFS) are was not told yet, or it has
          none that tell.
        </>
      }
      columns={[
        { word: "Name" },
        { word: "Health", className: "w-36 max-sm:w-28 max-sm:px-2" },
        { word: "What it says", className: "w-1/2 max-sm:hidden" },
      ]}
      textOf={({ kind, name, health, detail }) => `${kind} ${name} ${health} ${detail}`}
      keyOf={({ kind, name }) => `${kind} ${name}`}
      row={(one) => (
        <Row>
          <NameCell name={one.name} more={one.kind} />
          <Cell className="max-sm:px-2">
            <StateDot look={healths[one.health]} />
          </Cell>
          <Cell className="[overflow-wrap:anywhere] max-sm:hidden">{plainText(one.detail)}</Cell>
        </Row>
      )}
    />
  );
}

interface NameCellProps {
  readonly name: string;
  readonly more: string;
  readonly code?: boolean;
  readonly moreOn?: string;
}

/** A name, and below it what explains it; whatever a machine calls them, they stay in their cell. */
function NameCell({ name, more, code = false, moreOn = "" }: NameCellProps) {
  return (
    <Cell>
      <span className="block font-medium [overflow-wrap:anywhere]">{plainText(name)}</span>
      {more !== "" && (
        <span
          title={plainText(more)}
          className={`block truncate text-small text-soft ${moreOn} ${code ? "font-mono" : ""}`}
        >
          {plainText(more)}
        </span>
      )}
    </Cell>
  );
}
