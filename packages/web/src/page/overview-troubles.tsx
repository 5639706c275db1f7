import { Link } from "@tanstack/react-router";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import type { Trouble } from "./overview-summary.ts";

/** So many are shown; the pages of machines and services have them all. */
const shownAtMost = 5;

/** What somebody should look at, each with its reason and the way to it. */
export function Troubles({
  troubles,
  className,
}: {
  readonly troubles: readonly Trouble[];
  readonly className: string;
}) {
  const left = troubles.length - shownAtMost;
  return (
    <Card flush title="Needs attention" className={className}>
      <ul>
        {troubles.slice(0, shownAtMost).map((trouble) => (
          <li key={`${trouble.subject} ${trouble.name}`} className="border-line border-b last:border-b-0">
            <Link {...placeOf(trouble)} className="block px-4 py-2 outline-offset-[-2px] hover:bg-hover">
              <span className="flex items-start justify-between gap-x-3">
                <span className="min-w-0 font-medium [overflow-wrap:anywhere]">{trouble.name}</span>
                <StateDot look={trouble.look} className="shrink-0 text-small leading-5" />
              </span>
              {trouble.why !== "" && (
                <span className="line-clamp-2 text-small text-soft [overflow-wrap:anywhere]">{trouble.why}</span>
              )}
            </Link>
          </li>
        ))}
      </ul>
      {left > 0 && (
        <Link
          to="/services"
          className="block border-line border-t px-4 py-2 text-accent text-small outline-offset-[-2px] hover:bg-hover"
        >
          And {left} more
        </Link>
      )}
    </Card>
  );
}

function placeOf({ subject, name }: Trouble) {
  if (subject === "machine") return { to: "/machines/$name", params: { name } } as const;
  const [environment = "", service = ""] = name.split("/");
  return { to: "/services/$environment/$service", params: { environment, service } } as const;
}
