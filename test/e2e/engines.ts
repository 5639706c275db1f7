import { afterAll, beforeAll, describe } from "vitest";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";

/** The same tests with a Docker and with a Podman of their own, each started once for all of them; skipped by name where it is not there. */
export function describeEngines(title: string, tests: (kind: EngineKind, engineOf: () => Engine) => void): void {
  for (const kind of ["docker", "podman"] as const) {
    const without = withoutEngine(kind);
    describe.skipIf(without !== "")(`${title} ${kind}${without}`, () => {
      let engine: Engine | undefined;
      beforeAll(async () => {
        engine = await startEngine(kind);
      }, 60_000);
      afterAll(() => engine?.close(), 60_000);
      tests(kind, () => {
        if (engine === undefined) throw new Error(`${kind} was not started`);
        return engine;
      });
    });
  }
}
