import { expect, test } from "vitest";
import { makeFakeExporters } from "./exporter.fake.ts";

const request = { url: "http://a/", timeoutMs: 1, bytes: 10 };
const { signal } = new AbortController();

test("says what it is told to say, and remembers what it was asked", async () => {
  const fake = makeFakeExporters();
  expect(await fake.fetch(request, signal)).toEqual({ kind: "failed", reason: "connection refused" });
  fake.answer("http://a/", "up 1\n");
  expect(await fake.fetch(request, signal)).toMatchObject({ kind: "answered", format: "text" });
  fake.answer("http://a/", () => ({ text: "# EOF\n", format: "openmetrics" }));
  expect(await fake.fetch(request, signal)).toMatchObject({ kind: "answered", format: "openmetrics" });
  fake.answer("http://a/", "x".repeat(11));
  expect(await fake.fetch(request, signal)).toMatchObject({ kind: "failed" });
  expect(fake.asked).toHaveLength(4);
});

test("hangs until it is aborted, and is asked no more once it is closed", async () => {
  const fake = makeFakeExporters();
  fake.answer("http://a/", "hang");
  const controller = new AbortController();
  const outcome = fake.fetch(request, controller.signal);
  controller.abort("enough");
  await expect(outcome).rejects.toBe("enough");
  await fake.close();
  await expect(fake.fetch(request, signal)).rejects.toThrow("closed");
});
