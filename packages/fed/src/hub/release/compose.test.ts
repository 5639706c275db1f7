import { expect, test } from "vitest";
import { composeWanted } from "./compose.ts";
import { resolvedOf } from "./release.scene.ts";
import type { Release } from "./release.ts";

const row = { environment: "dev", service: "shop", wish: "", stopped: false, labReplicas: 3 };

test.each([
  ["one instance, when only one can have its volume", "it keeps data", 1],
  ["as many as the lab says otherwise", undefined, 3],
])("an earlier release that serves again has %s", (_what, stopFirst, replicas) => {
  const before = resolvedOf("dev/shop", { stopFirst });
  const release: Release = {
    ...{ id: "rel_1", environment: "dev", service: "shop", number: 1, spec: before.spec, wish: before.wish },
    ...{ resolved: before, artifact: { kind: "process" }, madeMs: 0, madeBy: "file" },
  };
  const facts = {
    resolved: resolvedOf("dev/shop", { replicas: 3 }),
    row: { ...row, release: "rel_1", replicas: undefined },
    ...{ release, last: undefined, fallback: undefined },
  };
  expect(composeWanted("lab", [facts]).services.map((one) => one.replicas)).toEqual([replicas]);
});
