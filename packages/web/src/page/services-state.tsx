import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { Link } from "@tanstack/react-router";
import { StateMark } from "../view/badge.tsx";
import { cx } from "../view/class-names.ts";
import { TextWithCode } from "../view/code.tsx";
import { lookOfService, nextStepOf } from "../view/state.ts";
import { toneBadge } from "../view/tone.ts";
import { reasonOf } from "./services-list.ts";

/** Why a service is in its state, and what to do about it; nothing when there is nothing to say. */
export function StateNote({ service }: { readonly service: ServiceStatus }) {
  const look = lookOfService(service.state);
  const next = nextStepOf(service);
  // The state says already what the hub begins these with.
  const why = reasonOf(service).replace(/^(given up (?=after )|has no release: )/, "");
  if (why === "" && next === undefined) return null;
  // The rollout's own card says it.
  if (service.rollout && look.tone === "info") return null;
  return (
    <div role="note" className={cx("flex gap-3 rounded-large px-4 py-3", toneBadge[look.tone])}>
      <StateMark look={look} className="mt-0.5" />
      <div className="min-w-0 text-ink">
        <p className="[overflow-wrap:anywhere]">
          <span className="font-semibold">{capital(look.word)}</span>
          {why !== "" && (
            <>
              {why.startsWith("after ") ? " " : ": "}
              <TextWithCode text={why} />
            </>
          )}
        </p>
        {next !== undefined && <p className="text-soft">{next}</p>}
        {/\bsecret \S+ has no value\b/.test(why) && (
          <Link to="/settings" hash="secrets" className="text-accent underline">
            Set its value in Settings
          </Link>
        )}
      </div>
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
