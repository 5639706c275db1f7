import { expect, test } from "vitest";
import type { Runtime } from "#port/runtime.ts";
import type { CallContext } from "#wire/handler.ts";
import type { Control } from "./control.ts";
import { serviceHandlers } from "./http.ts";

test("logs of a service that the lab has not are refused at once, not with the first line", () => {
  const control: Partial<Control> = { services: () => [] };
  const { logs } = serviceHandlers({ control: control as Control, runtime: {} as Runtime });
  const query = { environment: "dev", service: "ghost", tail: 10, follow: true };
  expect(() => logs(query, { signal: AbortSignal.timeout(1_000) } as CallContext)).toThrow(
    expect.objectContaining({ code: "missing", message: "the lab has no service dev/ghost" }),
  );
});
