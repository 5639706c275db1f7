import { expect, it } from "vitest";
import { plainLab, program, wordsOf, wrongWith } from "../test-lab.ts";

it("reports a secret without a value where a service needs it", () => {
  const lab = plainLab({ a: { ...program, env: { K: { secret: "PROD_KEY" } } } });
  expect(wordsOf(lab)).toEqual([
    'It needs the secret PROD_KEY in dev, where PROD_KEY has no value. Add "dev" to secrets.PROD_KEY.in, or give the variable another value there.',
  ]);
  expect(wrongWith({ a: { ...program, env: { K: { secretFile: "PROD_KEY" } } } })).toEqual([
    "secret-missing services.a.env.K",
  ]);
  expect(wrongWith({ a: { ...program, env: { K: { dev: { secret: "PROD_KEY" }, default: "x" } } } })).toEqual([
    "secret-missing services.a.env.K.dev",
  ]);
});

it("is content where it has one, or is not needed", () => {
  expect(wrongWith({ a: { ...program, env: { K: { secret: "KEY" } } } })).toEqual([]);
  expect(wrongWith({ a: { ...program, in: ["prod"], env: { K: { secret: "PROD_KEY" } } } })).toEqual([]);
  expect(wrongWith({ a: { ...program, env: { K: { prod: { secret: "PROD_KEY" }, default: "x" } } } })).toEqual([]);
});
