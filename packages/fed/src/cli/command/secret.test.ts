import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { gives } from "../hub.scene.ts";

const path = "/api/v1/secrets/BLOG_DB";
const answer = { version: 3, changed: true, declared: true, uses: [], begins: [] };

/** What `fed secret set` says, with the value in a file. */
async function set(text: string, reply: object, ...words: readonly string[]) {
  const desk = await makeDesk({ [path]: () => gives({ ...answer, ...reply }) });
  const file = join(desk.home, "value");
  await writeFile(file, text);
  const result = await desk.fed("secret", "set", "BLOG_DB", "--file", file, ...words);
  return { ...result, body: desk.hub.asked[0]?.body };
}

describe("secret set", () => {
  test("hands over the value of a file, and says who gets it", async () => {
    const uses = [
      { name: "BLOG_DB", environment: "prod", by: "prod/blog" },
      { name: "BLOG_DB", by: "exporter node5/nas" },
    ];
    expect(await set("correct horse\n", { uses }, "--env", "prod")).toEqual({
      code: 0,
      out: "BLOG_DB in prod: version 3 is in the vault\n",
      err: "fed apply gives it to prod/blog.\n",
      body: { environment: "prod", value: "correct horse" },
    });
  });

  test.each([
    ["a line's end is no part of a single line", "x\r\n", "x"],
    ["several lines are taken as they are", "-----BEGIN\nx\n", "-----BEGIN\nx\n"],
    ["nor is any other blank taken away", " x \n\n", " x \n\n"],
  ])("%s, from a file and from a pipe", async (_, text, value) => {
    expect((await set(text, {})).body).toEqual({ value });
    const desk = await makeDesk({ [path]: () => gives(answer) });
    const pipe = vi.spyOn(process, "stdin", "get").mockReturnValue(new PassThrough().end(text) as never);
    onTestFinished(() => pipe.mockRestore());
    expect(await desk.fed("secret", "set", "BLOG_DB")).toMatchObject({ code: 0 });
    expect(desk.hub.asked[0]?.body).toEqual({ value });
  });

  test("says when nothing changed, and when the lab does not know it", async () => {
    expect((await set("x", { changed: false, version: 2 })).out).toBe(
      "BLOG_DB in all environments had that value: version 2 stays\n",
    );
    expect((await set("x", { declared: false })).err).toContain("the lab has no such secret or environment yet");
  });

  test("takes no value from the words, and shows none", async () => {
    const desk = await makeDesk({});
    const { code } = await desk.fed("secret", "set", "BLOG_DB", "hunter2");
    expect([code, desk.hub.asked]).toEqual([2, []]);
    const json = await set("hunter2", {}, "--json");
    expect(JSON.parse(json.out)).toEqual({ name: "BLOG_DB", ...answer });
  });
});

describe("secret list", () => {
  const secrets = [
    { name: "BLOG_DB", version: 1, setMs: 0, setBy: "local" },
    { name: "BLOG_DB", environment: "prod", version: 2, setMs: 0, setBy: "user:ada", lost: true },
    { name: "OLD", version: 0 },
  ];

  test("has versions and where they count, and what cannot be opened", async () => {
    const desk = await makeDesk({ "/api/v1/secrets": () => gives({ secrets, missing: [] }) });
    const { code, out } = await desk.fed("secret", "list");
    expect(code).toBe(0);
    expect(out).toMatch(/^BLOG_DB {2}all {16}1 {2}.* local *$/m);
    expect(out).toMatch(/^BLOG_DB {2}prod {15}2 {2}.* user:ada {2}its master key is lost$/m);
    expect(out).toMatch(/^OLD {6}all {13}file *$/m);
  });

  test("says what the lab needs and has not, ready to be typed", async () => {
    const missing = [
      { name: "SMTP", environment: "prod", by: "prod/blog" },
      { name: "SMTP", environment: "prod", by: "prod/mail" },
      { name: "NAS", by: "exporter node5/nas" },
    ];
    const desk = await makeDesk({ "/api/v1/secrets": () => gives({ secrets: [], missing }) });
    expect(await desk.fed("secret", "list")).toEqual({
      code: 3,
      out: "missing for prod/blog, prod/mail: fed secret set SMTP --env prod\nmissing for exporter node5/nas: fed secret set NAS\n",
      err: "",
    });
    expect(JSON.parse((await desk.fed("secret", "list", "--json")).out)).toEqual({ secrets: [], missing });
  });

  test("says what to do while there is nothing", async () => {
    const desk = await makeDesk({ "/api/v1/secrets": () => gives({ secrets: [], missing: [] }) });
    expect((await desk.fed("secret", "list")).out).toContain("fed secret set NAME");
  });
});

test("secret remove asks a person, or is told --yes", async () => {
  const desk = await makeDesk({ [`${path}/remove`]: () => gives({ done: true }) });
  expect(await desk.fed("secret", "remove", "BLOG_DB")).toMatchObject({ code: 2, out: "" });
  expect(await desk.fed("secret", "remove", "BLOG_DB", "-e", "dev", "--yes")).toMatchObject({
    code: 0,
    out: "BLOG_DB in dev goes to nothing new\n",
  });
  expect(desk.hub.asked.map(({ body }) => body)).toEqual([{ environment: "dev" }]);
});
