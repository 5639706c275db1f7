import type { FakeBehaviour } from "#port/runtime.fake.ts";
import { runtimeSuite } from "#port/runtime.suite.ts";
import type { Workload } from "#port/runtime.ts";
import { makeScene } from "./instance.scene.ts";

runtimeSuite("process", async () => {
  const scene = makeScene();
  return {
    runtime: await scene.open(),
    reopen: () => scene.open(),
    workload: (behaviour) => toScript(scene.root, behaviour),
    close: () => scene.close(),
  };
});

/** The behaviour as a program of the shell. */
function toScript(folder: string, { absent, prints = [], onTerm, ends }: FakeBehaviour): Workload {
  if (absent) return { kind: "process", command: ["fed-no-such-command"], folder };
  const traps = { dies: "", ignores: "trap '' TERM", "says bye": "trap 'echo bye; exit 0' TERM" };
  const end = ends && ("code" in ends ? `exit ${ends.code}` : `kill -${ends.signal.slice(3)} $$`);
  const wait = onTerm === "says bye" ? "while :; do sleep 1000 & wait; done" : "exec sleep 1000";
  const script = [traps[onTerm ?? "dies"], 'printf "%s\\n" "$@"', end ?? wait];
  return {
    kind: "process",
    command: ["sh", "-c", prints.length > 0 ? script.join("\n") : `${script[0]}\n${script[2]}`, "sh", ...prints],
    folder,
  };
}
