import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { Link } from "@tanstack/react-router";
import { StateDot } from "../view/badge.tsx";
import { cx } from "../view/class-names.ts";
import { bytesText, plainText } from "../view/format.ts";
import { Sparkline } from "../view/sparkline.tsx";
import { lookOfMachine } from "../view/state.ts";
import { Time } from "../view/time.tsx";
import { MachineChips } from "./machine-chips.tsx";
import { type Ticks, useSeenMs } from "./machine-ticks.ts";
import { chipsOf } from "./machine-trouble.ts";
import { type CardFigure, cardFigures } from "./machines-figure.ts";

interface MachineCardProps {
  readonly machine: WireMachine;
  /** By figure and machine. */
  readonly figures: ReadonlyMap<string, ReadonlyMap<string, Float64Array>>;
  readonly ticks: Ticks;
  /** The last values are of now: a machine that has none tells nothing any more. */
  readonly live: boolean;
}

/** One machine at a glance. The link covers it all. */
export function MachineCard({ machine, figures, ticks, live }: MachineCardProps) {
  const { name, state, sinceMs, address, tailscale, facts, detail } = machine;
  // What it told before it went is its course, and not how it is.
  const isGone = state === "offline" || state === "away";
  const where = address === "local" ? "this machine" : (address ?? tailscale ?? "");
  const about = plainText(detail || [facts?.os, where].filter(Boolean).join(" · ")) || "\u200b";
  return (
    <article className="relative flex h-full flex-col gap-3 rounded-large border border-line bg-surface p-4 hover:border-edge">
      <div>
        <div className="flex items-start justify-between gap-3">
          <h3 className="min-w-0 font-semibold [overflow-wrap:anywhere]">
            <Link
              to="/machines/$name"
              params={{ name }}
              className="after:absolute after:inset-0 after:rounded-large after:content-['']"
            >
              {name}
            </Link>
          </h3>
          <StateDot look={lookOfMachine(state)} className="shrink-0" />
        </div>
        <div className="flex justify-between gap-3 text-small text-soft">
          <span className={cx("min-w-0", detail === "" ? "truncate" : "line-clamp-2")} title={about}>
            {about}
          </span>
          <span className="shrink-0">
            <Seen machine={machine} ticks={ticks} sinceMs={sinceMs} />
          </span>
        </div>
      </div>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-2">
        {cardFigures.map((figure) => (
          <CardValue key={figure.id} figure={figure} values={figures.get(figure.id)?.get(name)} live={live || isGone} />
        ))}
      </dl>
      <MachineChips chips={chipsOf(machine)} />
    </article>
  );
}

interface SeenProps {
  readonly machine: WireMachine;
  readonly ticks: Ticks;
  readonly sinceMs: number;
}

/** Of one that is there, since when; of one that is not, when it was seen last. */
function Seen({ machine: { name, state, seenMs }, ticks, sinceMs }: SeenProps) {
  const lastMs = useSeenMs(ticks, name, seenMs);
  if (lastMs === undefined) return "never seen";
  if (state === "online" && Date.now() - lastMs < 120_000) {
    return (
      <>
        since <Time atMs={sinceMs} />
      </>
    );
  }
  return (
    <>
      seen <Time atMs={lastMs} />
    </>
  );
}

interface CardValueProps {
  readonly figure: CardFigure;
  readonly values: Float64Array | undefined;
  readonly live: boolean;
}

function CardValue({ figure: { word, kind }, values, live }: CardValueProps) {
  const value = values === undefined ? Number.NaN : lastOf(values, live);
  return (
    <div className="grid min-w-0 grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-2">
      <dt className="truncate text-small text-soft">{word}</dt>
      <dd className="whitespace-nowrap font-medium">
        {Number.isFinite(value) ? valueText(value, kind) : <span className="text-faint">–</span>}
      </dd>
      <dd aria-hidden="true" className="col-span-2">
        <Sparkline values={values} top={kind === "ratio" ? 1 : undefined} />
      </dd>
    </div>
  );
}

/** The value of now; before the first tick, of the last minutes. */
function lastOf(values: Float64Array, live: boolean): number {
  return live ? (values.at(-1) ?? Number.NaN) : (values.slice(-2).findLast((one) => !Number.isNaN(one)) ?? Number.NaN);
}

function valueText(value: number, kind: CardFigure["kind"]): string {
  if (kind === "bytesPerSecond") return `${bytesText(value)}/s`;
  return `${(value * 100).toFixed(value < 0.0995 ? 1 : 0)} %`;
}
