import { expect, test } from "vitest";
import { safePath } from "./safe-path.ts";

test.each([
  ["/services/dev/api", "/services/dev/api"],
  ["/events?type=machine.", "/events?type=machine."],
  ["//evil.example", "/"],
  ["/\\evil.example", "/"],
  ["https://evil.example", "/"],
  ["javascript:alert(1)", "/"],
  [undefined, "/"],
  [["/"], "/"],
])("%j leads to %s", (given, path) => expect(safePath(given)).toBe(path));
