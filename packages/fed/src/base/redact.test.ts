import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeRedactor, redactedTrace } from "./redact.ts";
import { makeTrace, type TraceEntry } from "./trace.ts";

function redactorOf(values: Readonly<Record<string, string>>) {
  const redactor = makeRedactor();
  for (const [name, value] of Object.entries(values)) redactor.know(name, value);
  return redactor;
}

describe("a text", () => {
  const { redact } = redactorOf({
    DB: "postgres://ada:p%40ss+w0rd@db:5432/blog?x=1",
    TOKEN: "tok+en/42=",
    TOKEN_2: "tok+en/42=longer",
    KEY: '-----BEGIN KEY-----\nAAAAB3NzaC1yc2E\n<line> & "two"\nshort\n-----END KEY-----\n',
    QUOTED: 'say "friend"\\',
    REPLACING: "$& and $1 dollars",
  });

  test.each([
    ["the value itself", "got tok+en/42= here", "got [secret TOKEN] here"],
    ["the longer one first", "tok+en/42=longer", "[secret TOKEN_2]"],
    ["all of them", "tok+en/42= tok+en/42=", "[secret TOKEN] [secret TOKEN]"],
    ["as a URL has it", "?t=tok%2Ben%2F42%3D&x", "?t=[secret TOKEN]&x"],
    ["as JSON has it", JSON.stringify({ a: 'say "friend"\\' }), '{"a":"[secret QUOTED]"}'],
    ["a URL", "to postgres://ada:p%40ss+w0rd@db:5432/blog?x=1 now", "to [secret DB] now"],
    ["the password of a URL, decoded", "password p@ss+w0rd refused", "password [secret DB] refused"],
    ["the password of a URL, as it stands there", "p%40ss+w0rd", "[secret DB]"],
    ["a line of it", "key AAAAB3NzaC1yc2E", "key [secret KEY]"],
    ["a line of it, as a page has it", "key &lt;line&gt; &amp; &quot;two&quot;", "key [secret KEY]"],
    ["no short line of it", "short", "short"],
    ["what a pattern would mean otherwise", "$& and $1 dollars", "[secret REPLACING]"],
    ["nothing else", "tok+en/4 2= db", "tok+en/4 2= db"],
  ])("loses %s", (_, text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  const hostile = `<b>"it's"</b> & 1/2+3=é \\ $(id)!`;
  const { redact: clean } = redactorOf({ EVIL: hostile });
  const small = (text: string) => text.replace(/%../g, (code) => code.toLowerCase());
  test.each([
    ["Go's JSON", '\\u003cb\\u003e\\"it\'s\\"\\u003c/b\\u003e \\u0026 1/2+3=é \\\\ $(id)!'],
    ["Python's JSON", '<b>\\"it\'s\\"</b> & 1/2+3=\\u00e9 \\\\ $(id)!'],
    ["PHP's JSON", '<b>\\"it\'s\\"<\\/b> & 1\\/2+3=\\u00e9 \\\\ $(id)!'],
    ["a form", new URLSearchParams({ "": hostile }).toString().slice(1)],
    ["an URL, strictly", "%3Cb%3E%22it%27s%22%3C%2Fb%3E%20%26%201%2F2%2B3%3D%C3%A9%20%5C%20%24%28id%29%21"],
    ["a URL by Python", "%3Cb%3E%22it%27s%22%3C/b%3E%20%26%201/2%2B3%3D%C3%A9%20%5C%20%24%28id%29%21"],
    ["a URL in small letters", small(encodeURIComponent(hostile))],
    ["a page", "&lt;b&gt;&quot;it&#39;s&quot;&lt;/b&gt; &amp; 1/2+3=é \\ $(id)!"],
    ["a page by Python", "&lt;b&gt;&quot;it&#x27;s&quot;&lt;/b&gt; &amp; 1/2+3=é \\ $(id)!"],
    ["a page by Go", "&lt;b&gt;&#34;it&#39;s&#34;&lt;/b&gt; &amp; 1/2+3=é \\ $(id)!"],
    ["the text of a page", '&lt;b&gt;"it\'s"&lt;/b&gt; &amp; 1/2+3=é \\ $(id)!'],
    ["a shell", `<b>"it'\\''s"</b> & 1/2+3=é \\ $(id)!`],
  ])("is clean of a hostile value as %s has it", (_, form) => {
    expect(clean(`a ${form} z`)).toBe("a [secret EVIL] z");
  });

  test("is clean of a value in base64, wherever it begins", () => {
    const bytes = (text: string) => Buffer.from(text);
    const core = bytes(hostile).toString("base64").slice(4, -4);
    for (const before of ["", "a", "ab", "abc", "ada:"])
      for (const after of ["", "z", "zy", "zyx"])
        for (const alphabet of ["base64", "base64url"] as const) {
          const said = clean(bytes(`${before}${hostile}${after}`).toString(alphabet));
          expect(said).toContain("[secret EVIL]");
          expect(said).not.toContain(core.slice(0, 12));
          expect(said.length).toBeLessThan(40);
        }
  });

  test("keeps what anybody may say", () => {
    const common = redactorOf({ USER: "postgres", SIZE: "86400000", TINY: "a1", BLANK: "        ", EMPTY: "" });
    for (const text of ["the service postgres", "86400000 ms", "a1", " ".repeat(40)])
      expect(common.redact(text)).toBe(text);
  });

  test("loses every value that is known, whatever it is and whatever is around it", () => {
    const value = fc.string({ unit: "grapheme", minLength: 8, maxLength: 40 }).map((text) => `#1${text.trim()}#9`);
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 5 }),
        fc.string(),
        fc.string(),
        (values, before, after) => {
          const redactor = redactorOf(Object.fromEntries(values.map((one, at) => [`S${at}`, one])));
          for (const one of values) {
            const texts = [one, JSON.stringify(one), encodeURIComponent(one.toWellFormed())];
            for (const text of texts) expect(redactor.redact(`${before}${text}${after}`)).not.toContain(one);
          }
        },
      ),
    );
  });

  test("what is known is bounded, and the newest counts", () => {
    const redactor = makeRedactor();
    for (let i = 0; i < 12_000; i++) redactor.know("OLD", `value number ${i}`);
    redactor.know("NEW", "hunter2#2");
    expect(redactor.redact("hunter2#2 and value number 0")).toBe("[secret NEW] and value number 0");
  });
});

test("data loses them at any depth, and stays the same data when nothing is in it", () => {
  const redactor = redactorOf({ A: "hunter2!" });
  const clean = { n: 1, list: ["x", null], inner: { at: new Date(0), text: "hunter" } };
  expect(redactor.redactIn(clean)).toBe(clean);
  expect(redactor.redactIn({ ...clean, inner: { list: ["is hunter2!"] }, none: undefined })).toEqual({
    ...{ n: 1, list: ["x", null], inner: { list: ["is [secret A]"] }, none: undefined },
  });
  expect(makeRedactor().redactIn(clean)).toBe(clean);
});

test("a diary loses them, in its words and its facts", () => {
  const entries: TraceEntry[] = [];
  const redactor = makeRedactor();
  const trace = redactedTrace(
    makeTrace(
      () => 0,
      "debug",
      (entry) => void entries.push(entry),
    ),
    redactor,
  );
  trace.info("begins");
  redactor.know("A", "hunter2!");
  trace.warn("hunter2! failed", { reason: "no hunter2!", tries: 2 });
  expect(entries).toEqual([
    { atMs: 0, level: "info", message: "begins", facts: {} },
    { atMs: 0, level: "warn", message: "[secret A] failed", facts: { reason: "no [secret A]", tries: 2 } },
  ]);
});
