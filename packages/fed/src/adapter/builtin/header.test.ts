import { describe, expect, test } from "vitest";
import { answerHeaders, isLoopback, requestHeaders } from "./header.ts";

const send = (remote: string, rawHeaders: readonly string[], connection?: string) =>
  requestHeaders({ rawHeaders, host: "api.localhost", connection, remote });
const forwarded = (address: string) => [
  ...["X-Forwarded-For", address, "X-Forwarded-Proto", "http"],
  ...["X-Forwarded-Host", "api.localhost"],
];

describe("to the instance", () => {
  test("headers keep their letter case, order and number", () => {
    const raw = ["Host", "api.localhost", "X-A", "1", "x-b", "2", "X-A", "3"];
    const expected = ["Host", "api.localhost", "X-A", "1", "x-b", "2", "X-A", "3", ...forwarded("10.0.0.7")];
    expect(send("10.0.0.7", raw)).toEqual(expected);
  });

  test("those of this connection only stay behind, also the ones it names itself", () => {
    const raw = [
      "Connection",
      "X-Hop, Content-Length",
      "X-Hop",
      "1",
      "Content-Length",
      "5",
      "Keep-Alive",
      "x",
      "TE",
      "gzip",
    ];
    const more = ["Transfer-Encoding", "chunked", "Upgrade", "h2c", "Expect", "100-continue"];
    const expected = ["Host", "api.localhost", "Content-Length", "5", ...forwarded("10.0.0.7")];
    expect(send("10.0.0.7", [...raw, ...more], "X-Hop, Content-Length")).toEqual(expected);
  });

  test.each([
    ["a=1; fed_session=s3cret; b=2", ["Cookie", "a=1; b=2"]],
    ["fed_session=s3cret", []],
    [" fed_session = s3cret ;fed_session=again; c=fed_session", ["Cookie", "c=fed_session"]],
    ["not_fed_session=mine", ["Cookie", "not_fed_session=mine"]],
  ])("the session of the dashboard stays behind: %s", (cookie, expected) => {
    expect(send("10.0.0.7", ["Cookie", cookie])).toEqual([
      "Host",
      "api.localhost",
      ...expected,
      ...forwarded("10.0.0.7"),
    ]);
  });

  test("that a client takes trailers is passed on", () => {
    expect(send("10.0.0.7", ["TE", "trailers, gzip"])?.slice(2, 4)).toEqual(["TE", "trailers"]);
  });

  const claims = [
    "X-Forwarded-For",
    "1.2.3.4",
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    "x",
    "Forwarded",
    "for=1",
  ];

  test("another machine's claims about forwarding are replaced", () => {
    expect(send("::ffff:10.0.0.7", claims)).toEqual(["Host", "api.localhost", ...forwarded("10.0.0.7")]);
  });

  test("a tunnel or proxy on this machine is believed", () => {
    const expected = ["Host", "api.localhost", "Forwarded", "for=1", "X-Forwarded-For", "1.2.3.4, 127.0.0.1"];
    expect(send("127.0.0.1", claims)).toEqual([...expected, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "x"]);
  });

  test("two Host headers are refused", () => {
    expect(send("10.0.0.7", ["Host", "a", "host", "b"])).toBeUndefined();
  });
});

describe("to the client", () => {
  test("headers of the connection stay behind", () => {
    const raw = ["Set-Cookie", "a", "Connection", "X-Hop", "X-Hop", "1", "Keep-Alive", "timeout=5", "Set-Cookie", "b"];
    expect(answerHeaders(raw.map(Buffer.from as (text: string) => Buffer), "X-Hop")).toEqual([
      "Set-Cookie",
      "a",
      "Set-Cookie",
      "b",
    ]);
  });

  test.each([
    ["fed_session=x; Domain=hub.test", false],
    ["fed_session=", false],
    [" \tfed_session = x; Path=/", false],
    ["=fed_session=x", false],
    [" = fed_session=x", false],
    ["my_fed_session=x", true],
    ["fed_sessions=x", true],
    ["mine=fed_session=x", true],
    ["mine=1; Path=/fed_session=", true],
  ])("a service sets cookies, but not the dashboard's session: %j", (cookie, passes) => {
    const raw = ["X-A", "1", "SET-COOKIE", cookie, "Set-Cookie", "b=2"];
    const expected = ["X-A", "1", ...(passes ? ["SET-COOKIE", cookie] : []), "Set-Cookie", "b=2"];
    expect(answerHeaders(raw.map(Buffer.from as (text: string) => Buffer), undefined)).toEqual(expected);
    expect(answerHeaders(raw, undefined)).toEqual(expected);
  });

  test("a length beside a transfer encoding is not believed", () => {
    const raw = ["Content-Length", "5", "Transfer-Encoding", "chunked", "X-A", "content-length"];
    expect(answerHeaders(raw, undefined)).toEqual(["X-A", "content-length"]);
  });
});

test.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["10.0.0.1", false],
  ["", false],
])("%j is on this machine: %j", (address, near) => {
  expect(isLoopback(address)).toBe(near);
});
