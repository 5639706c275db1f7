import { describe, expect, test } from "vitest";
import type { WireToken, WireUser } from "#wire/user.ts";
import { makeDesk } from "../command.scene.ts";
import { gives } from "../hub.scene.ts";

const hourMs = 3_600_000;

function user(name: string, more: Partial<WireUser> = {}): WireUser {
  return { id: `usr_${name}`, name, role: "viewer", state: "active", createdMs: 0, ...more };
}

function token(id: string, more: Partial<WireToken> = {}): WireToken {
  const plain = { role: "viewer", createdMs: 0, state: "active" } as const;
  return { id, name: "ci", prefix: `fed_${id.padEnd(8, "0")}`, ...plain, ...more };
}

const link = { path: "/welcome#code=c", expiresMs: 0 };

describe("user list", () => {
  test("is a table, a word when there is nobody, an array as data", async () => {
    const users = [
      user("ada", { role: "admin", signedInMs: Date.now() - 3 * hourMs }),
      user("grace", { state: "invited" }),
    ];
    const desk = await makeDesk({ "/api/v1/users": () => gives({ users }) });
    expect((await desk.fed("user", "list")).out).toBe(
      "NAME   ROLE    STATE    SIGNED IN\nada    admin   active     3 h ago\ngrace  viewer  invited      never\n",
    );
    expect(JSON.parse((await desk.fed("user", "list", "--json")).out)).toEqual(users);
    const empty = await makeDesk({ "/api/v1/users": () => gives({ users: [] }) });
    expect((await empty.fed("user", "list")).out).toContain("fed user add NAME");
    expect((await empty.fed("user", "list", "--json")).out).toBe("[]\n");
  });
});

describe("links and words about a user", () => {
  test("the link is alone on stdout, with the address the hub was reached at; what it is for on stderr", async () => {
    const desk = await makeDesk({
      "/api/v1/users": () => gives({ user: user("grace", { state: "invited" }), link }),
      "/api/v1/users/grace/reset": () => gives({ user: user("grace"), link }),
      "/api/v1/rescue": () => gives({ link }),
    });
    for (const words of [
      ["user", "add", "grace"],
      ["user", "reset", "grace", "-y"],
      ["user", "rescue"],
    ]) {
      const { code, out, err } = await desk.fed(...words);
      const url = desk.hub.url + link.path;
      expect({ code, out }).toEqual({ code: 0, out: `${url}\n` });
      expect(err).toMatch(/it works once, until .*:\nIt opens on this machine only\. .* in place of http:\S+\.\n$/);
      expect(JSON.parse((await desk.fed(...words, "--json")).out)).toMatchObject({ link: { ...link, url } });
    }
    expect(desk.hub.asked[0]?.body).toEqual({ name: "grace", role: "viewer" });
  });

  test("who is let in again without a password is told to be so", async () => {
    const desk = await makeDesk({
      "/api/v1/users/grace/enable": () => gives({ user: user("grace", { state: "invited" }) }),
      "/api/v1/users/ada/enable": () => gives({ user: user("ada") }),
    });
    expect((await desk.fed("user", "enable", "grace")).out).toContain("has no password yet; fed user reset grace");
    expect((await desk.fed("user", "enable", "ada")).out).toBe("ada may sign in again\n");
  });

  test("what cannot be taken back is asked first, and nobody is here to answer", async () => {
    const desk = await makeDesk({ "/api/v1/tokens": () => gives({ tokens: [token("1")] }) });
    for (const words of [
      ["user", "disable", "ada"],
      ["user", "reset", "ada"],
      ["token", "revoke", "ci"],
    ]) {
      expect(await desk.fed(...words)).toMatchObject({ code: 2, out: "", err: expect.stringContaining("say --yes") });
    }
    expect(desk.hub.asked.map(({ path }) => path)).toEqual(["/api/v1/tokens"]);
  });
});

describe("tokens", () => {
  test("the secret is alone on stdout", async () => {
    const made = { token: token("1", { expiresMs: 1 }), secret: "fed_1_secret" };
    const desk = await makeDesk({ "/api/v1/tokens": () => gives(made) });
    expect(await desk.fed("token", "create", "ci", "--role", "operator")).toEqual({
      ...{ code: 0, out: "fed_1_secret\n" },
      err: "ci (viewer) ends in 90 days. It is shown this once:\n",
    });
    await desk.fed("token", "create", "ci", "--expires", "never");
    expect(desk.hub.asked.map(({ body }) => body)).toEqual([
      { name: "ci", role: "operator", expiresInDays: 90 },
      { name: "ci", role: "viewer" },
    ]);
  });

  test.each(["12h", "0d", "1.5d", "4000d", "30", "soon", "-1d"])("no token ends in %s", async (expires) => {
    const desk = await makeDesk({});
    const { code, err } = await desk.fed("token", "create", "ci", `--expires=${expires}`);
    expect({ code, asked: desk.hub.asked }).toEqual({ code: 2, asked: [] });
    expect(err).toContain("whole days, 1d to 3650d, or never");
  });

  test("the list tells whose they are and when they end", async () => {
    const tokens = [
      token("a1", { user: "ada", usedMs: Date.now() - hourMs, expiresMs: Date.UTC(2030, 0, 1) }),
      token("b2", { state: "revoked" }),
    ];
    const desk = await makeDesk({ "/api/v1/tokens": () => gives({ tokens }) });
    const [head, first, second] = (await desk.fed("token", "list")).out.split("\n");
    expect(head).toBe("ID  NAME  BEGINS        ROLE    OWNER         STATE    USED     ENDS");
    expect(first).toMatch(/^a1 {2}ci {4}fed_a1000000 {2}viewer {2}ada {11}active {3}1 h ago {2}20(29|30)-/);
    expect(second).toBe("b2  ci    fed_b2000000  viewer  this machine  revoked  never    never");
    expect(JSON.parse((await desk.fed("token", "list", "--json")).out)).toEqual(tokens);
  });

  test("one is ended by its id, its first letters, or a name that only one has", async () => {
    const tokens = [
      token("a1"),
      token("b2"),
      token("c3", { name: "cd" }),
      token("d4", { name: "cd", state: "revoked" }),
    ];
    const revoked: string[] = [];
    const replies = Object.fromEntries(
      tokens.map((one) => [
        `/api/v1/tokens/${one.id}/revoke`,
        () => {
          revoked.push(one.id);
          return gives({ token: one });
        },
      ]),
    );
    const desk = await makeDesk({ "/api/v1/tokens": () => gives({ tokens }), ...replies });
    for (const word of ["a1", "fed_b2000000", "cd"]) {
      expect(await desk.fed("token", "revoke", word, "--yes")).toMatchObject({ code: 0 });
    }
    expect(revoked).toEqual(["a1", "b2", "c3"]);
    expect(await desk.fed("token", "revoke", "ci", "--yes")).toMatchObject({
      ...{ code: 2, err: expect.stringContaining("a1, b2") },
    });
    expect(await desk.fed("token", "revoke", "x", "--yes")).toMatchObject({ code: 4 });
    expect(revoked).toHaveLength(3);
  });
});
