import { expect, it } from "vitest";
import { plainLab, program, wordsOf, wrongWith } from "../test-lab.ts";

it("reports two services with one host name", () => {
  const lab = plainLab({
    a: { ...program, route: { dev: "x.localhost" } },
    b: { ...program, route: { prod: "x.localhost" } },
  });
  expect(wordsOf(lab)).toEqual([
    "a (in dev) and b (in prod) both claim x.localhost. Give one of them another host name.",
  ]);
});

it("reports one plain route in several environments", () => {
  const lab = plainLab({ a: { ...program, route: "a.localhost" } });
  expect(wordsOf(lab)).toEqual([
    'a claims a.localhost both in dev and in prod. Give it a host name for each environment: { dev: "a.localhost", prod: "…" }.',
  ]);
  expect(wrongWith({ a: { ...program, route: { default: "a.localhost" } } })).toEqual([
    "host-collision services.a.route.default",
  ]);
});

it("is content with a host name for each", () => {
  expect(wrongWith({ a: { ...program, route: "a.localhost", in: ["dev"] } })).toEqual([]);
  expect(wrongWith({ a: { ...program, route: { dev: "a.localhost", prod: "a.example.org" } } })).toEqual([]);
});
