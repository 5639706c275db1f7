import { expect, test } from "vitest";
import { type Desk, makeDesk } from "../command.scene.ts";
import { readEnv } from "../env.ts";
import { gives, refuses } from "../hub.scene.ts";
import { openLoginStore } from "../login-store.ts";

const user = { id: "usr_1", name: "ada", role: "admin", state: "active", createdMs: 0 } as const;
const grant = { accessToken: "access", refreshToken: "refresh", expiresInSeconds: 600, user };

const storeOf = (desk: Desk) => openLoginStore(readEnv({ HOME: desk.home }, desk.home).configFolder);
const elsewhere = { here: false } as const;

test("without an address it is FED_HUB, then the last one, then a word about what to type", async () => {
  const desk = await makeDesk({}, elsewhere);
  expect(await desk.fed("login")).toMatchObject({ code: 2, err: expect.stringContaining("fed login http") });
  // Nobody is asked for a name here, so that is as far as it comes.
  await storeOf(desk).save(desk.hub.url, grant);
  expect((await desk.fed("login")).err).toContain("nobody to ask");
  const odd = await makeDesk({}, { ...elsewhere, variables: { FED_HUB: "hub" } });
  expect((await odd.fed("login")).err).toContain("FED_HUB is not an http address");
});

test.each([
  ["http://127.0.0.1:1", false],
  ["http://hub.localhost:1", false],
  ["https://hub.home", false],
  ["http://127.evil.com", true],
  ["http://hub.home:4747", true],
])("%s is warned of: %s", async (url, warned) => {
  const desk = await makeDesk({}, elsewhere);
  const { code, err } = await desk.fed("login", url);
  expect(code).toBe(2);
  expect(err.includes(`${url} is not encrypted`)).toBe(warned);
});

test("logout ends the session there and forgets it here", async () => {
  const desk = await makeDesk({ "/api/v1/auth/logout": () => gives({ done: true }) }, elsewhere);
  await storeOf(desk).save(desk.hub.url, grant);
  expect(await desk.fed("logout")).toEqual({ code: 0, out: `signed out at ${desk.hub.url}\n`, err: "" });
  expect(desk.hub.asked.map(({ path, token }) => [path, token])).toEqual([["/api/v1/auth/logout", "access"]]);
  expect(await storeOf(desk).nameAt(desk.hub.url)).toBeUndefined();
  expect(await desk.fed("logout")).toMatchObject({ code: 4, err: expect.stringContaining("nobody is signed in here") });
});

test("a token that the hub refuses is exchanged, so that the session does end", async () => {
  const desk = await makeDesk(
    {
      "/api/v1/auth/logout": ({ token }) => (token === "next" ? gives({ done: true }) : refuses("unauthenticated")),
      "/api/v1/auth/refresh": () => gives({ ...grant, accessToken: "next" }),
    },
    elsewhere,
  );
  await storeOf(desk).save(desk.hub.url, grant);
  expect(await desk.fed("logout")).toMatchObject({ code: 0, err: "" });
  expect(desk.hub.asked.map(({ path }) => path.split("/").at(-1))).toEqual(["logout", "refresh", "logout"]);
});

test("a session that has ended, and a hub that is away, are forgotten all the same", async () => {
  const ended = await makeDesk({}, elsewhere);
  await storeOf(ended).save(ended.hub.url, { ...grant, expiresInSeconds: 0 });
  expect(await ended.fed("logout")).toMatchObject({ code: 0, err: expect.stringContaining("warning: ") });

  const away = await makeDesk({}, elsewhere);
  await storeOf(away).save(away.hub.url, grant);
  await away.hub.stop();
  const { code, out, err } = await away.fed("logout");
  expect({ code, out }).toEqual({ code: 0, out: `signed out at ${away.hub.url}\n` });
  expect(err).toContain("the session there ends by itself");
  expect(await storeOf(away).nameAt(away.hub.url)).toBeUndefined();
});

test.each(["nothing", "something else", "a defect"])(
  "no password is asked for, or sent, where %s answers",
  async (who) => {
    const desk = await makeDesk(
      { "/health": () => (who === "a defect" ? refuses("internal") : gives({ hello: 1 })) },
      elsewhere,
    );
    if (who === "nothing") await desk.hub.stop();
    const { code, err } = await desk.fed("login", desk.hub.url, "-n", "ada", "--password-stdin");
    expect({ code, asked: desk.hub.asked.map(({ path }) => path) }).toEqual({
      ...{ code: 7, asked: who === "nothing" ? [] : ["/health"] },
    });
    expect(err).toContain(
      `cannot sign in at ${desk.hub.url}: ${who === "nothing" ? "no hub answers" : "what answers"}`,
    );
  },
);
