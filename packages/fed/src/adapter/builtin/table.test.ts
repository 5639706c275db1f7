import fc from "fast-check";
import { expect, test } from "vitest";
import type { IngressRoute } from "#port/ingress.ts";
import { buildTable, hostName, splitTarget } from "./table.ts";

const byHost = (host: string, service = "dev/a"): IngressRoute => ({
  match: { kind: "host", host },
  service,
  targets: [],
});
const byDoor = (port: number, service = "dev/a"): IngressRoute => ({
  match: { kind: "door", port, protocol: "tcp" },
  service,
  targets: [],
});
const build = (routes: readonly IngressRoute[]) => buildTable(routes, (route) => route.service);

test.each([
  ["blog.localhost", "blog.localhost"],
  ["Blog.Localhost.:8080", "blog.localhost"],
  ["blog.localhost.", "blog.localhost"],
  ["127.0.0.1:80", "127.0.0.1"],
  ["[::1]:8080", "[::1]"],
  ["[FE80::1]", "[fe80::1]"],
  ["", ""],
])("the host name of %j is %j", (authority, name) => {
  expect(hostName(authority)).toBe(name);
});

test("a host name of a host name is itself", () => {
  const written = fc
    .tuple(fc.domain(), fc.constantFrom("", "."), fc.constantFrom("", ":1", ":65535"))
    .map((p) => p.join(""));
  fc.assert(fc.property(written, (authority) => hostName(hostName(authority)) === hostName(authority)));
});

test("routes are found by host name and by door", () => {
  const table = build([byHost("API.localhost", "dev/api"), byDoor(9000, "dev/db")]);
  expect(table.hosts.get("api.localhost")).toBe("dev/api");
  expect(table.doors.get(9000)).toBe("dev/db");
});

test("a host name or a door claimed twice is a conflict that names both services", () => {
  expect(() => build([byHost("a.localhost", "dev/a"), byHost("A.localhost.", "dev/b")])).toThrow(
    "dev/a and dev/b both claim the host name a.localhost",
  );
  expect(() => build([byDoor(9000, "dev/a"), byDoor(9000, "dev/b")])).toThrow("dev/a and dev/b both claim door 9000");
});

test.each([
  ["http://api.localhost/a?b", { authority: "api.localhost", path: "/a?b" }],
  ["HTTP://api.localhost:81", { authority: "api.localhost:81", path: "/" }],
  ["http://api.localhost?x", { authority: "api.localhost", path: "/?x" }],
  ["*", undefined],
  ["api.localhost:443", undefined],
  ["https://api.localhost/", undefined],
  ["http://user@api.localhost/", undefined],
])("the target %j in absolute form is %j", (target, split) => {
  expect(splitTarget(target)).toEqual(split);
});
