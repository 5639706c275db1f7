import { expect, test } from "vitest";
import { isLoopback } from "./loopback.ts";

test.each([
  ["http://127.0.0.1:4747", true],
  ["http://127.1", true],
  ["http://127.255.255.254", true],
  ["http://2130706433", true],
  ["http://[::1]:4747", true],
  ["http://[0:0:0:0:0:0:0:1]", true],
  ["http://localhost:4747", true],
  ["http://LOCALHOST", true],
  ["http://hub.localhost", true],
  ["http://127.evil.com", false],
  ["http://127.0.0.1.evil.com", false],
  ["http://localhost.evil.com", false],
  ["http://evillocalhost", false],
  ["http://128.0.0.1", false],
  ["http://0.0.0.0", false],
  ["http://192.168.1.5:4747", false],
  ["http://[::ffff:10.0.0.1]", false],
  ["http://[fe80::1]", false],
])("%s is this machine: %s", (url, here) => expect(isLoopback(url)).toBe(here));
