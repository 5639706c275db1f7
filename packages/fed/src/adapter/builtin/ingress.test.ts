import { systemClock } from "#base/clock.ts";
import { silentTrace } from "#base/trace.ts";
import { ingressSuite } from "#port/ingress.suite.ts";
import { openBuiltinIngress } from "./ingress.ts";

ingressSuite("builtin", async () => {
  const ingress = await openBuiltinIngress({ host: "127.0.0.1", port: 0, clock: systemClock, trace: silentTrace });
  return { ingress, address: ingress.address, close: () => ingress.close({ deadlineMs: 0 }) };
});
