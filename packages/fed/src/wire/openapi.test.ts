import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { api } from "./api.ts";
import { openapiOf, openapiOnce } from "./openapi.ts";

const root = join(import.meta.dirname, "../../../..");
const { version } = JSON.parse(readFileSync(join(root, "packages/fed/package.json"), "utf8")) as { version: string };

test("docs/openapi.json is what the endpoints say; `node docs/write-openapi.ts` writes it anew", () => {
  expect(JSON.parse(readFileSync(join(root, "docs/openapi.json"), "utf8"))).toEqual(openapiOf(version));
});

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const checked = await validator.validate(openapiOf(version) as Record<string, unknown>);
  expect(checked).toMatchObject({ valid: true });
  expect(validator.version).toBe("3.1");
  const broken = { ...openapiOf(version), paths: { "/x": { get: { responses: "none" } } } };
  expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
});

test("the same table gives the same text", () => {
  expect(JSON.stringify(openapiOf(version))).toBe(JSON.stringify(openapiOf(version)));
});

test("it is made once however often it is asked for", () => {
  const document = openapiOnce(version);
  expect(document()).toEqual(openapiOf(version));
  expect(document()).toBe(document());
});

test("a page's session needs its token to change something; the hub's own token is asked for where only it will do", () => {
  const { paths } = openapiOf(version) as { paths: Record<string, Record<string, { security: readonly object[] }>> };
  const security = (path: string, method: string) => paths[path]?.[method]?.security;
  expect(security("/health", "get")).toEqual([]);
  expect(security("/api/v1/users", "get")).toEqual([{ bearer: [] }, { session: [] }]);
  expect(security("/api/v1/users", "post")).toEqual([{ bearer: [] }, { session: [], csrf: [] }]);
  expect(security("/api/v1/rescue", "post")).toEqual([{ bearer: [] }]);
});

test("every endpoint is in the document, once, with its role and its answers", () => {
  const document = openapiOf(version) as unknown as {
    readonly paths: Record<string, Record<string, { operationId: string; "x-fed-role": string; responses: object }>>;
  };
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(api).sort());
  for (const operation of operations) {
    const { role } = api[operation.operationId as keyof typeof api];
    expect(operation["x-fed-role"]).toBe(role);
    expect(Object.keys(operation.responses).includes("401")).toBe(role !== "open");
  }
});

test("every reference leads somewhere, and every parameter of a path is described", () => {
  const document = openapiOf(version);
  const resolve = (reference: string) =>
    reference
      .slice(2)
      .split("/")
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
  for (const [, reference = ""] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    expect(reference).toMatch(/^#\//);
    expect(resolve(reference), reference).toBeDefined();
  }
  const paths = document.paths as unknown as Record<
    string,
    Record<string, { parameters?: { name: string; in: string }[] }>
  >;
  for (const [path, methods] of Object.entries(paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters = [] } of Object.values(methods)) {
      expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(names);
    }
  }
});
