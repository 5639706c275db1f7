import { expect, test } from "vitest";
import type { KeptLogs } from "#hub/log/verbs.ts";
import type { CallContext } from "#wire/handler.ts";
import type { Control } from "./control.ts";
import { serviceHandlers } from "./http.ts";
import type { Sites } from "./sites.ts";
import type { ByHand } from "./wanted.ts";

test("logs of a service that the lab has not are refused at once, not with the first line", () => {
  const control = { services: () => [], world: { instances: [] } } as unknown as Control;
  const kept = { list: () => [] } as unknown as KeptLogs;
  const { logs } = serviceHandlers({ control, kept, runtime: {} as Sites, byHand: {} as ByHand });
  const query = { environment: "dev", service: "ghost", tail: 10, follow: true, gone: false };
  expect(() => logs(query, { signal: AbortSignal.timeout(1_000) } as CallContext)).toThrow(
    expect.objectContaining({ code: "missing", message: "the lab has no service dev/ghost" }),
  );
});
