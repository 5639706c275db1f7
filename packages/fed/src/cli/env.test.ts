import { describe, expect, test } from "vitest";
import { readEnv } from "./env.ts";

const read = (variables: Record<string, string>) => readEnv({ HOME: "/home/ada", ...variables }, "/work");

describe("the data folder", () => {
  test.each([
    [{}, "/home/ada/.local/share/fed"],
    [{ XDG_DATA_HOME: "/xdg" }, "/xdg/fed"],
    [{ XDG_DATA_HOME: "relative" }, "/home/ada/.local/share/fed"],
    [{ XDG_DATA_HOME: "/xdg", FED_DATA: "/srv/fed" }, "/srv/fed"],
    [{ FED_DATA: "here" }, "/work/here"],
    [{ FED_DATA: "" }, "/home/ada/.local/share/fed"],
  ])("%j: %s", (variables, folder) => expect(read(variables).dataFolder).toBe(folder));
});

test("a service inherits where programs are and who the user is, nothing of fed and no secret", () => {
  const kept = { PATH: "/bin", LANG: "C.UTF-8", LC_ALL: "C", TZ: "UTC", USER: "ada", TMPDIR: "/t" };
  const lost = {
    FED_TOKEN: "t",
    FED_KEY: "k",
    AWS_SECRET_ACCESS_KEY: "s",
    NODE_OPTIONS: "x",
    NODE_COMPILE_CACHE: "c",
    SSH_AUTH_SOCK: "a",
  };
  expect(read({ ...kept, ...lost }).inherited).toEqual({ HOME: "/home/ada", ...kept });
});

test("who logs in to machines, and with what; the master keys of the vault", () => {
  const { own, keys } = read({
    USER: "ada",
    LOGNAME: "root",
    SSH_AUTH_SOCK: "/run/agent",
    FED_KEY: "k",
    FED_KEY_NEXT: "",
  });
  expect(own).toEqual({ user: "ada", home: "/home/ada", agent: "/run/agent" });
  expect(keys).toEqual({ current: "k", next: undefined });
  expect(read({ LOGNAME: "grace" }).own).toEqual({ user: "grace", home: "/home/ada", agent: undefined });
  expect(read({}).own.user).not.toBe("");
});

test("a program called for the person inherits all but what is fed's own", () => {
  const { delegated } = read({
    DOCKER_HOST: "ssh://x",
    FED_TOKEN: "t",
    NODE_COMPILE_CACHE: "c",
    MALLOC_ARENA_MAX: "2",
  });
  expect(delegated).toEqual({ HOME: "/home/ada", DOCKER_HOST: "ssh://x" });
});

test.each([
  [{}, "auto"],
  [{ NO_COLOR: "1" }, "never"],
  [{ NO_COLOR: "" }, "auto"],
  [{ FORCE_COLOR: "1" }, "always"],
  [{ FORCE_COLOR: "0" }, "auto"],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, "never"],
])("%j: colour %s", (variables, color) => expect(read(variables).terminal.color).toBe(color));

test.each([
  ["", false],
  ["0", false],
  ["false", false],
  ["1", true],
  ["yes", true],
])("FED_DEBUG=%s: %s", (value, debug) => expect(read({ FED_DEBUG: value }).debug).toBe(debug));

test("is frozen to its depth", () => {
  const env = read({ PATH: "/bin:relative::/usr/bin" });
  expect(env.path).toEqual(["/bin", "/usr/bin"]);
  expect(Object.isFrozen(env) && Object.isFrozen(env.terminal) && Object.isFrozen(env.inherited)).toBe(true);
});

test("a width that is no width is none", () => {
  expect(read({ COLUMNS: "120" }).terminal.columns).toBe(120);
  for (const COLUMNS of ["", "0", "-1", "wide", "1.5"]) expect(read({ COLUMNS }).terminal.columns).toBeUndefined();
});
