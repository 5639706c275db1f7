import { api } from "#wire/api.ts";
import type { Ground } from "./ground.ts";
import { type HttpNeeds, makeHandlers } from "./http.ts";
import type { HubOptions } from "./hub-options.ts";
import { meterRequests } from "./own-metrics.ts";
import { redactedHandlers } from "./redacted.ts";
import { serve } from "./serve/serve.ts";
import { pageUrlOf, urlOf } from "./url.ts";

/** The port people and programs come in by. */
export async function openEntry(
  options: HubOptions,
  { users, meter, makeCorrelation, redactor }: Ground,
  needs: Omit<HttpNeeds, "version">,
  opened: AsyncDisposableStack,
) {
  const { host, port, clock, trace, version, pages } = options;
  const { agents } = needs;
  const handlers = redactedHandlers(api, makeHandlers({ ...needs, version }), redactor);
  const served = await serve(api, handlers, {
    ...{ host, port, clock, trace, makeCorrelation },
    identify: async (credentials) => agents.identify(credentials.bearer) ?? users.identify(credentials),
    recall: (caller) => (caller.kind === "machine" ? agents.recall(caller) : users.recall(caller)),
    checkCsrf: (caller, header) => users.checkCsrf(caller, header),
    refused: (refusal) => users.recordRefusal(refusal),
    onRequest: meterRequests(meter),
    pages,
    // Who asked for the end hears of it to the end.
    lasting: new Set(["down"]),
  });
  let shutting: Promise<void> | undefined;
  const shut = (until?: Promise<unknown>) => {
    shutting ??= served.close(until);
    return shutting;
  };
  opened.defer(() => shut());
  return { url: urlOf(host, served.port), pageUrl: pageUrlOf(host, served.port), shut };
}
