import { expect, test } from "vitest";
import { urlOf } from "./url.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:80"],
  ["lab.home.arpa", "http://lab.home.arpa:80"],
  ["fd00::7", "http://[fd00::7]:80"],
  ["0.0.0.0", "http://127.0.0.1:80"],
  ["::", "http://[::1]:80"],
])("%s is found at %s", (host, url) => {
  expect(urlOf(host, 80)).toBe(url);
});
