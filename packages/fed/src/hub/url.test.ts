import { expect, test } from "vitest";
import { pageUrlOf, urlOf } from "./url.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:81", "http://fed.localhost:81"],
  ["127.0.0.2", "http://127.0.0.2:81", "http://127.0.0.2:81"],
  ["localhost", "http://localhost:81", "http://fed.localhost:81"],
  ["lab.home.arpa", "http://lab.home.arpa:81", "http://lab.home.arpa:81"],
  ["fd00::7", "http://[fd00::7]:81", "http://[fd00::7]:81"],
  ["0.0.0.0", "http://127.0.0.1:81", "http://fed.localhost:81"],
  ["::", "http://[::1]:81", "http://fed.localhost:81"],
])("%s is found at %s, its pages at %s", (host, url, pages) => {
  expect([urlOf(host, 81), pageUrlOf(host, 81)]).toEqual([url, pages]);
});
