import { problemShape } from "@fed/fed/wire/problem.ts";
import { expect, test } from "vitest";
import { readFault, sentence } from "./fault.ts";

test.each(problemShape.shape.code.options)("a fault %s has a title of its own", (code) => {
  const fault = readFault(Object.assign(new Error("what happened"), { code, hint: "what to do" }));
  expect(fault).toMatchObject({ code, message: "what happened", hint: "what to do" });
  expect(fault.title).not.toBe("");
});

test.each([new TypeError("x is not a function"), "text", undefined, null, { code: "EPIPE", message: "pipe" }])(
  "what is no fault (%s) is a defect of ours",
  (thrown) => {
    const fault = readFault(thrown);
    expect(fault.code).toBe("internal");
    expect(fault.message).not.toBe("");
    expect(fault.hint).toMatch(/again/);
  },
);

test("a message becomes a sentence, and stays one", () => {
  expect(sentence("a password has at least 10 characters")).toBe("A password has at least 10 characters.");
  expect(sentence("Is it on?")).toBe("Is it on?");
});
