import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { makeRedactor } from "#base/redact.ts";
import { api } from "#wire/api.ts";
import type { CallContext, Handlers } from "#wire/handler.ts";
import { redactedHandlers } from "./redacted.ts";

const value = "hunter2#hunter2";
const context = {} as CallContext;

function wrapped(handlers: Readonly<Record<string, () => unknown>>) {
  const redactor = makeRedactor();
  redactor.know("KEY", value);
  const all = redactedHandlers(api, handlers as unknown as Handlers, redactor);
  return all as unknown as Readonly<Record<string, (input: object, context: CallContext) => unknown>>;
}

const fault = () => new Fault("invalid", `no ${value}`, { hint: `not ${value}`, details: [value], cause: 1 });
const clean = {
  ...{ code: "invalid", message: "no [secret KEY]", hint: "not [secret KEY]" },
  ...{ details: ["[secret KEY]"], cause: 1 },
};

test("an answer loses what is secret in it, at once or later", async () => {
  const handlers = wrapped({
    status: () => ({ said: [`is ${value}`] }),
    secrets: () => Promise.resolve({ said: value }),
  });
  expect(handlers.status?.({}, context)).toEqual({ said: ["is [secret KEY]"] });
  expect(await handlers.secrets?.({}, context)).toEqual({ said: "[secret KEY]" });
});

test("a fault does, whenever it is thrown, and is no other fault for it", async () => {
  const handlers = wrapped({
    status() {
      throw fault();
    },
    secrets: () => Promise.reject(fault()),
  });
  expect(() => handlers.status?.({}, context)).toThrow(expect.objectContaining(clean));
  await expect(handlers.secrets?.({}, context)).rejects.toMatchObject(clean);
});

test("so does each line, and the fault at its end", async () => {
  async function* lines() {
    yield { text: `is ${value}` };
    yield { text: "fine" };
    throw fault();
  }
  const heard: unknown[] = [];
  const { logs = lines } = wrapped({ logs: lines });
  const read = async () => {
    for await (const line of logs({}, context) as AsyncIterable<unknown>) heard.push(line);
  };
  await expect(read()).rejects.toMatchObject(clean);
  expect(heard).toEqual([{ text: "is [secret KEY]" }, { text: "fine" }]);
});

test("what is no data passes as it is", () => {
  const text = `metric{a="${value}"} 1`;
  expect(wrapped({ metrics: () => text }).metrics?.({}, context)).toBe(text);
});
