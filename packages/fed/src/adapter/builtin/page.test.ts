import { expect, test } from "vitest";
import { makePage } from "./page.ts";

test("a browser gets HTML, others plain text", () => {
  const reason = { kind: "noTargets", service: "dev/api" } as const;
  expect(makePage(reason, "text/html,*/*")).toMatchObject({ status: 503, body: expect.stringContaining("<h1") });
  expect(makePage(reason, "*/*").body).toBe("api has no healthy instance\nSee `fed logs api`.\n");
  expect(makePage(reason, undefined).headers).toContain("Retry-After");
});

test("what a stranger sends is never markup", () => {
  const { body } = makePage({ kind: "unknownHost", host: "<script>", known: [] }, "text/html");
  expect(body).not.toContain("<script>");
  expect(body).toContain("&lt;script&gt;");
});

test("the known names are listed, the first fifty", () => {
  const known = Array.from({ length: 60 }, (_, i) => `s${i}.localhost`);
  const { body } = makePage({ kind: "unknownHost", host: "x", known }, undefined);
  expect(body.split("\n").filter((line) => line.startsWith("  s"))).toHaveLength(50);
});

test("the length is in bytes", () => {
  const { headers, body } = makePage({ kind: "unknownHost", host: "ä", known: [] }, undefined);
  expect(headers[headers.indexOf("Content-Length") + 1]).toBe(String(Buffer.byteLength(body)));
});
