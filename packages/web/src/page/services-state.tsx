import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { StateMark } from "../view/badge.tsx";
import { cx } from "../view/class-names.ts";
import { countText } from "../view/format.ts";
import { lookOfService, nextStepOf } from "../view/state.ts";
import { toneBadge } from "../view/tone.ts";
import { orderInstances } from "./services-list.ts";

/** Why a service is in its state, and what to do about it; nothing when there is nothing to say. */
export function StateNote({ service }: { readonly service: ServiceStatus }) {
  const look = lookOfService(service.state);
  const next = nextStepOf(service);
  const why = reasonOf(service);
  if (why === "" && next === undefined) return null;
  return (
    <div role="note" className={cx("flex gap-3 rounded-large px-4 py-3", toneBadge[look.tone])}>
      <StateMark look={look} className="mt-0.5" />
      <div className="min-w-0 text-ink">
        <p className="[overflow-wrap:anywhere]">
          <span className="font-semibold">{capital(look.word)}</span>
          {why !== "" && `: ${why}`}
        </p>
        {next !== undefined && <p className="text-soft">{next}</p>}
      </div>
    </div>
  );
}

/** While it starts again, why it had to is still what people want to know. */
function reasonOf({ state, detail, crashes, instances }: ServiceStatus): string {
  if (detail !== "" || state !== "starting" || crashes === 0) return detail;
  const last = orderInstances(instances).find((one) => one.state === "exited");
  return `after ${countText(crashes, "failure")}${last?.exit === undefined ? "" : `; the last: ${last.exit}`}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
