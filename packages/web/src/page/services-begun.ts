import type { WireRollout } from "@fed/fed/wire/release.ts";
import { useNavigate, useParams } from "@tanstack/react-router";
import { queries, releasesQuery } from "../hub.ts";

/** Shows a rollout that was begun: on the page of its environment. */
export function useBegun(): (rollout: WireRollout) => Promise<void> {
  const navigate = useNavigate();
  const here = useParams({ strict: false });
  return async ({ environment, service }) => {
    await queries.invalidateQueries({ queryKey: releasesQuery(environment, service).queryKey });
    if (here.environment === environment && here.service === service) return;
    await navigate({ to: "/services/$environment/$service", params: { environment, service } });
  };
}
