import type { EngineDocument } from "@fed/lab";
import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeFakeImages } from "#port/image.fake.ts";
import { makeFakeRuntime } from "#port/runtime.fake.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import { type EngineSeat, findEngine, seatsOf } from "./engine.ts";

const { signal } = new AbortController();

function makeStage(answers: (seat: EngineSeat) => Fault | undefined, named?: EngineDocument, user = "1000") {
  const clock = handClock();
  const shell = makeFakeShell(clock, "node5");
  shell.program("id", ({ write }) => void write(`${user}\n`));
  const [asked, closed]: [string[], string[]] = [[], []];
  const find = () =>
    findEngine(
      {
        ...{ machine: "node5", shell, named },
        at(seat) {
          const runtime = makeFakeRuntime({ clock, workloads: ["image"] });
          return {
            images: makeFakeImages(),
            runtime: {
              ...runtime,
              name: `${seat.kind} ${seat.path}`,
              async list(inner) {
                asked.push(seat.path);
                const fault = answers(seat);
                if (fault) throw fault;
                return runtime.list(inner);
              },
              close: async () => void closed.push(seat.path),
            },
          };
        },
      },
      signal,
    );
  return { find, shell, asked, closed };
}

const silent = new Fault("unreachable", "nothing listens");

test("the first engine that answers is taken, and the others are let go of", async () => {
  const { find, closed } = makeStage(({ kind }) => (kind === "podman" ? undefined : silent));
  expect((await find()).runtime.name).toBe("podman /run/podman/podman.sock");
  expect(closed).toEqual(["/var/run/docker.sock"]);
});

test("the engines of the machine come before those of the hub's user there, and the lab has the last word", () => {
  expect(seatsOf(undefined, "1000").map(({ path }) => path)).toEqual([
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/1000/docker.sock",
    "/run/user/1000/podman/podman.sock",
  ]);
  expect(seatsOf({ kind: "podman" }, "0")).toEqual([{ kind: "podman", path: "/run/podman/podman.sock" }]);
  expect(seatsOf({ kind: "docker", socket: "/srv/d.sock" }, "1000")).toEqual([{ kind: "docker", path: "/srv/d.sock" }]);
  expect(seatsOf(undefined, "; rm")).toHaveLength(2);
});

test.each([
  ["none", undefined, silent, "unsupported", "neither Docker nor Podman answers on node5"],
  [
    "the one that is named",
    { kind: "docker" },
    silent,
    "unsupported",
    "docker does not answer on node5: nothing listens",
  ],
  ["one that lets nobody in", undefined, new Fault("denied", "not in the group"), "denied", "not in the group"],
] as const)("where %s answers it says so", async (_, named, fault, code, message) => {
  await expect(makeStage(() => fault, named).find()).rejects.toMatchObject({ code, message });
});

test("a machine that cannot be reached is another matter than one without an engine", async () => {
  const { find, shell, asked } = makeStage(() => undefined);
  shell.fail(new Fault("unreachable", "node5 is gone"));
  await expect(find()).rejects.toMatchObject({ code: "unreachable", message: "node5 is gone" });
  expect(asked).toEqual([]);
});
