import { expect, test } from "vitest";
import { readEnv } from "../env.ts";
import { type Ask, type Question, questions, versionIn } from "../finding.ts";
import { examine } from "./doctor.ts";

const env = readEnv({ HOME: "/home/ada" }, "/work");
const rich: Ask = {
  run: async (command) =>
    command === "ssh" ? "OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17\n" : `${command} version 1.2.3\n`,
  freeBytes: async () => 5 * 2 ** 30,
  canWrite: () => true,
  resolves: async () => true,
};
const poor: Ask = {
  run: async () => undefined,
  freeBytes: async () => 2 ** 20,
  canWrite: () => false,
  resolves: async () => false,
};
const never = new AbortController().signal;

test("a machine that has everything lacks nothing", async () => {
  const found = await examine(questions, rich, env, never);
  expect(found.filter(({ finding }) => finding.kind !== "found")).toEqual([]);
  expect(found.find(({ question }) => question.name === "OpenSSH")?.finding).toEqual({ kind: "found", what: "9.2p1" });
  expect(found.find(({ question }) => question.name === "free disk")?.finding).toEqual({
    kind: "found",
    what: "5.0 GiB",
  });
});

test("a machine that has nothing is told what to do about each", async () => {
  const lacking = (await examine(questions, poor, env, never)).filter(({ finding }) => finding.kind !== "found");
  expect(lacking.map(({ question }) => question.name)).toEqual(questions.slice(1).map(({ name }) => name));
  for (const { finding } of lacking) expect(finding.kind === "found" ? "" : finding.hint).not.toBe("");
});

test("a question that fails is missing with its reason, and the others are answered", async () => {
  const broken: Question = {
    name: "broken",
    feature: "nothing",
    required: false,
    find: async () => {
      throw new Error("no such thing");
    },
  };
  const [first, second] = await examine([broken, ...questions.slice(0, 1)], rich, env, never);
  expect(first?.finding).toEqual({ kind: "missing", hint: "no such thing" });
  expect(second?.finding.kind).toBe("found");
});

test("an interrupt ends the examination", async () => {
  const endless: Question = { name: "endless", feature: "nothing", required: false, find: () => new Promise(() => {}) };
  const controller = new AbortController();
  const examined = examine([endless], rich, env, controller.signal);
  controller.abort(new Error("Ctrl-C"));
  await expect(examined).rejects.toThrow("Ctrl-C");
});

test.each([
  ["git version 2.39.5", "2.39.5"],
  ["Docker version 28.2.2, build e6534b4", "28.2.2"],
  ["fallocate from util-linux 2.38.1", "2.38.1"],
  ["podman version 4.3.1", "4.3.1"],
  ["no number at all\nmore", "no number at all"],
])("the version in %j is %s", (answer, version) => expect(versionIn(answer)).toBe(version));
