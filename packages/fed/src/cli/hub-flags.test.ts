import { describe, expect, test } from "vitest";
import { readEnv } from "./env.ts";
import { chooseHub } from "./hub-flags.ts";

const choose = (flags: { data?: string; hub?: string }, variables: Record<string, string> = {}) =>
  chooseHub({ data: flags.data, hub: flags.hub }, readEnv({ HOME: "/home/ada", ...variables }, "/work"));

describe("which hub is meant", () => {
  const standard = { kind: "usual", folder: "/home/ada/.local/share/fed" };
  test.each([
    [{}, {}, standard],
    [{ data: "/d" }, {}, { kind: "data", folder: "/d" }],
    [{ data: "/d" }, { FED_HUB: "http://h" }, { kind: "data", folder: "/d" }],
    [{}, { FED_DATA: "/e" }, { kind: "data", folder: "/e" }],
    [{ hub: "http://h" }, { FED_TOKEN: "t", FED_DATA: "/e" }, { kind: "url", url: "http://h", token: "t" }],
    [{}, { FED_HUB: "http://h/" }, { kind: "url", url: "http://h", token: undefined }],
  ])("%j with %j", (flags, variables, choice) => expect(choose(flags, variables)).toEqual(choice));
});

test("two hubs at once are refused", () => {
  expect(() => choose({ data: "/d", hub: "http://h" })).toThrow("--data and --hub name two hubs");
  expect(() => choose({}, { FED_DATA: "/d", FED_HUB: "http://h" })).toThrow("FED_DATA and FED_HUB are both set");
});

test("a malformed FED_HUB is named", () =>
  expect(() => choose({}, { FED_HUB: "hub" })).toThrow("FED_HUB is not an http address"));
