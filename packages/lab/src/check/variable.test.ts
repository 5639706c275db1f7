import { expect, it } from "vitest";
import { container, program, wrongWith } from "../test-lab.ts";

it("reports variables that fed sets for a process", () => {
  expect(wrongWith({ a: { ...program, env: { PORT: "80" } } })).toEqual(["reserved-variable services.a.env.PORT"]);
  expect(wrongWith({ a: { ...program, volumes: { "my-data": {} }, env: { VOLUME_MY_DATA: "/x" } } })).toEqual([
    "reserved-variable services.a.env.VOLUME_MY_DATA",
  ]);
});

it("is content with them in a container, and with others", () => {
  expect(wrongWith({ a: { ...container, env: { PORT: "80" } }, b: { ...program, env: { VOLUME_X: "1" } } })).toEqual(
    [],
  );
});
