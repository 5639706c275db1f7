import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { statusQuery } from "../hub.ts";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { countText } from "../view/format.ts";
import { lookOfService } from "../view/state.ts";

/** What is placed on a machine, each with its state. */
export function MachineServices({
  placed,
  className,
}: {
  readonly placed: readonly string[];
  readonly className: string;
}) {
  const { data: status } = useQuery(statusQuery);
  if (placed.length === 0) {
    return (
      <Card title="Services" className={className}>
        <p className="text-soft">Nothing is placed on it.</p>
      </Card>
    );
  }
  return (
    <Card title="Services" about={`${countText(placed.length, "service")} placed on it`} className={className}>
      <ul className="grid grid-cols-[minmax(0,1fr)] gap-x-6 sm:grid-cols-2 xl:grid-cols-3">
        {placed.map((key) => {
          const [environment = "", service = ""] = key.split("/");
          const known = status?.services.find((one) => one.environment === environment && one.service === service);
          return (
            <li key={key}>
              <Link
                to="/services/$environment/$service"
                params={{ environment, service }}
                className="-mx-2 flex min-h-8 items-center justify-between gap-3 rounded-base px-2 hover:bg-hover pointer-coarse:min-h-11"
              >
                <span className="min-w-0 py-0.5 [overflow-wrap:anywhere]">{key}</span>
                {known && <StateDot look={lookOfService(known.state)} className="shrink-0 text-small" />}
              </Link>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
