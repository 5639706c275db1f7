import { existsSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EngineKind, startEngine, withoutEngine } from "./engine.scene.ts";

const kinds: readonly EngineKind[] = ["docker", "podman"];

describe.each(kinds)("a private %s", (kind) => {
  const missing = withoutEngine(kind);
  test.skipIf(missing !== "")(
    `runs images of busybox, and leaves nothing${missing}`,
    { timeout: 120_000 },
    async () => {
      const engine = await startEngine(kind);
      onTestFinished(() => rest(engine.close));
      const image = engine.image(["sh", "-c", 'echo "it runs"']);
      expect(engine.image(["sh", "-c", 'echo "it runs"'])).toBe(image);
      expect(image).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(engine.run("run", "--rm", "--network", "none", image)).toBe("it runs");
      await engine.restart();
      expect(engine.run("run", "--rm", "--network", "none", image)).toBe("it runs");
      await engine.close();
      expect(existsSync(engine.folder)).toBe(false);
    },
  );
});

/** Once more, when the test broke off before. */
async function rest(close: () => Promise<void>): Promise<void> {
  await close().catch(() => {});
}
