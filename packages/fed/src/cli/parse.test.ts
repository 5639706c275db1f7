import { describe, expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { defineCommand } from "./command.ts";
import { parseWords } from "./parse.ts";

const command = defineCommand({
  args: {
    lab: { kind: "file", optional: true, description: "A lab" },
    others: { kind: "text", optional: true, many: true, description: "More" },
  },
  flags: {
    ingressPort: { kind: "port", default: 8080, description: "Port" },
    data: { kind: "folder", description: "Folder" },
    hub: { kind: "url", description: "Hub" },
    host: { kind: "host", description: "Host" },
    tail: { kind: "count", min: 0, max: 1000, description: "Lines" },
    level: { kind: "choice", of: ["debug", "info"], description: "Level" },
    label: { kind: "text", many: true, description: "Label" },
    follow: { kind: "switch", short: "f", description: "Go on" },
  },
  examples: [],
  run: async () => 0,
});
const strict = defineCommand({
  args: { service: { kind: "service", description: "Name of a service" } },
  flags: {},
  examples: [],
  run: async () => 0,
});

const parse = (...words: string[]) => parseWords("up", command, words, "/work");

test("values come checked and typed, absent ones as their defaults", () => {
  expect(
    parse("my lab.ts", "--ingress-port=0", "--data", "d", "-f", "--hub", "http://h:1/", "--label=a", "--label", "b"),
  ).toEqual({
    kind: "call",
    args: { lab: "/work/my lab.ts", others: [] },
    flags: {
      ingressPort: 0,
      data: "/work/d",
      hub: "http://h:1",
      host: undefined,
      tail: undefined,
      level: undefined,
      label: ["a", "b"],
      follow: true,
    },
  });
});

test("all after -- are arguments", () => {
  expect(parse("--", "-odd", "--help")).toMatchObject({ args: { lab: "/work/-odd", others: ["--help"] } });
});

test.each([["--help"], ["-h"], ["--help", "--json"], ["lab.ts", "-fh"]])("%s %s asks for help", (...words) => {
  expect(parse(...words)).toEqual({ kind: "help" });
});

describe("a mistake names the word and the fix", () => {
  test.each([
    [["--ingress-port", "eighty"], '--ingress-port cannot be "eighty"', "whole number from 0 to 65535"],
    [["--ingress-port", "65536"], '--ingress-port cannot be "65536"', "0 to 65535"],
    [["--ingress-port=-1"], '--ingress-port cannot be "-1"', "0 to 65535"],
    [["--ingress-port", "80.5"], '"80.5"', "0 to 65535"],
    [["--ingress-port", "0x50"], '"0x50"', "0 to 65535"],
    [["--ingress-port", " 80"], '" 80"', "0 to 65535"],
    [["--ingress-port", "-1"], '"-1" looks like a flag', "--ingress-port=-1"],
    [["--ingress-port", "--follow"], '"--follow" looks like a flag', "--ingress-port=--follow"],
    [["--ingress-port"], "--ingress-port needs a value", "--ingress-port N"],
    [["--data"], "--data needs a value", "--data DIR"],
    [["--data", ""], "--data is empty", "leave it out"],
    [["--data="], "--data is empty", "leave it out"],
    [["--data", "a", "--data", "b"], "--data is given twice", "once"],
    [["-f", "--follow"], "--follow is given twice", "once"],
    [["--follow=yes"], "--follow takes no value", "--follow alone"],
    [["--no-follow"], "up has no flag --no-follow", "fed help up"],
    [["--folow"], "up has no flag --folow", "fed help up"],
    [["-x"], "up has no flag -x", "fed help up"],
    [["--hub", "hub.example.org"], "--hub is not an http address", "http://"],
    [["--hub", "ftp://h"], "--hub is not an http address", "http://"],
    [["--hub", "http://u:p@h"], "--hub must not hold a user", "FED_TOKEN"],
    [["--hub", "http://h/?a=1"], "--hub must end before ?", "http://h"],
    [["--host", "bad host"], "--host is not a host name", "127.0.0.1"],
    [["--host", "-"], "--host is not a host name", "127.0.0.1"],
    [["--tail", "1001"], '--tail cannot be "1001"', "0 to 1000"],
    [["--level", "inof"], '--level cannot be "inof"', "debug or info"],
    [[""], "the argument lab is empty", "leave it out"],
    [["a\0b"], "the argument lab holds a null character", "no path"],
  ] as const)("%j", (words, message, hint) => {
    const fault = faultOf(() => parse(...words));
    expect(fault.code).toBe("invalid");
    expect(fault.message).toContain(message);
    expect(fault.hint).toContain(hint);
  });

  test("too few and too many arguments", () => {
    expect(faultOf(() => parseWords("logs", strict, [], "/")).message).toBe("logs needs the argument service");
    const many = faultOf(() => parseWords("logs", strict, ["my", "lab"], "/"));
    expect(many.message).toBe('logs takes one argument; "lab" is too many');
  });
});

test.each([["127.0.0.1"], ["::1"], ["[::1]"], ["localhost"], ["a-b.example.org"]])("%s is a host", (host) => {
  expect(parse("--host", host)).toMatchObject({ flags: { host: host.replace(/[[\]]/g, "") } });
});

function faultOf(work: () => unknown) {
  try {
    work();
  } catch (thrown) {
    if (isFault(thrown)) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}
