import { describe, expect, test } from "vitest";
import { grantShape } from "#wire/user.ts";
import { accessSeconds } from "./jwt.ts";
import { dayMs, everyText, faultOf, from, makeScene, origin, passwordOf } from "./user.scene.ts";
import { idleMs, sessionMs } from "./user.ts";

const refused = "unauthenticated: this sign-in is no longer good";
const thief = { ...from, address: "198.51.100.9" };

async function makeGranted(role: "viewer" | "admin" = "viewer") {
  const scene = makeScene();
  const ada = await scene.add("ada", role);
  const grant = await scene.users.grants.openClient(ada, from);
  const refresh = (token: string, at = from) => scene.users.grants.refresh(token, at);
  const isGood = async (accessToken: string) => (await scene.users.identify({ bearer: accessToken })).kind === "user";
  return { ...scene, ada, grant, refresh, isGood };
}

test("a program gets a short token and one to refresh it; stored is a hash", async () => {
  const scene = await makeGranted();
  const { grant, clock, isGood, ada } = scene;
  expect(grantShape.parse(grant)).toEqual(grant);
  expect(grant.user).toMatchObject({ id: ada.id, name: "ada", state: "active", signedInMs: clock.nowMs() });
  expect(grant.expiresInSeconds).toBe(accessSeconds);
  expect(await isGood(grant.accessToken)).toBe(true);
  const text = everyText(scene);
  for (const secret of [grant.refreshToken, grant.accessToken, grant.accessToken.split(".")[2] ?? ""])
    expect(text).not.toContain(secret);
  expect(scene.events().at(-1)).toMatchObject({ type: "session.opened", data: { kind: "client" } });
});

describe("a refresh token", () => {
  test("is exchanged for the next pair, again and again, quietly", async () => {
    const { grant, refresh, isGood, clock, news } = await makeGranted();
    news();
    let current = grant;
    const seen = new Set([grant.refreshToken]);
    for (let n = 0; n < 20; n++) {
      await clock.turn(accessSeconds * 1_000);
      expect(await isGood(current.accessToken)).toBe(false);
      current = await refresh(current.refreshToken);
      expect(await isGood(current.accessToken)).toBe(true);
      seen.add(current.refreshToken);
    }
    expect(seen.size).toBe(21);
    expect(news()).toEqual([]);
  });

  test("does not end the access token before it, which has its own end", async () => {
    const { grant, refresh, isGood } = await makeGranted();
    await refresh(grant.refreshToken);
    expect(await isGood(grant.accessToken)).toBe(true);
  });

  test("that was exchanged before ends the family: what the thief has and what the owner has", async () => {
    const { grant, refresh, isGood, news, events, users } = await makeGranted();
    const second = await refresh(grant.refreshToken);
    const third = await refresh(second.refreshToken);
    news();
    expect(await faultOf(() => refresh(grant.refreshToken, thief))).toBe(refused);
    for (const { accessToken } of [grant, second, third]) expect(await isGood(accessToken)).toBe(false);
    for (const { refreshToken } of [third, second, grant])
      expect(await faultOf(() => refresh(refreshToken))).toBe(refused);
    expect(news()).toEqual(["session.replayed user:ada", "session.ended user:ada"]);
    const [replayed, ended] = events().slice(-2);
    expect(replayed).toMatchObject({ actor: "nobody", data: { address: thief.address } });
    expect(ended?.data).toMatchObject({ reason: "a refresh token was shown twice" });
    expect((await users.authenticate("ada", passwordOf("ada"), from)).name).toBe("ada");
  });

  test("is stored alone, however often it was exchanged; the very first one still ends the family", async () => {
    const { grant, refresh, isGood, db, news } = await makeGranted();
    let current = grant;
    for (let n = 0; n < 300; n++) current = await refresh(current.refreshToken);
    expect(db.prepare("SELECT secret FROM refresh", ({ secret }) => secret).all()).toHaveLength(1);
    news();
    expect(await faultOf(() => refresh(grant.refreshToken, thief))).toBe(refused);
    expect(await isGood(current.accessToken)).toBe(false);
    expect(news()).toEqual(["session.replayed user:ada", "session.ended user:ada"]);
  });

  test("that somebody made up, or moved to another session, is refused and ends nothing", async () => {
    const { ada, users, grant, refresh, isGood, news } = await makeGranted();
    const other = await users.grants.openClient(ada, from);
    const [mine = "", chance = "", signature = ""] = grant.refreshToken.split(".");
    const [theirs = "", , otherSignature = ""] = other.refreshToken.split(".");
    news();
    const forged = [
      [theirs, chance, signature],
      [mine, chance, otherSignature],
      [mine, "x", signature],
      [mine, chance],
    ];
    for (const parts of [...forged, [mine, chance, signature, ""], [mine]])
      expect(await faultOf(() => refresh(parts.join("."), thief))).toBe(refused);
    expect(await isGood(grant.accessToken)).toBe(true);
    expect(await isGood((await refresh(grant.refreshToken)).accessToken)).toBe(true);
    expect(news()).toEqual([]);
  });

  test("that was replayed leaves the user's other sessions alone", async () => {
    const { ada, users, grant, refresh, isGood } = await makeGranted();
    const other = await users.grants.openClient(ada, from);
    const { secret } = users.sessions.openBrowser(ada, from);
    await refresh(grant.refreshToken);
    await faultOf(() => refresh(grant.refreshToken));
    expect(await isGood(other.accessToken)).toBe(true);
    expect(await isGood((await refresh(other.refreshToken)).accessToken)).toBe(true);
    expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada" });
  });

  test("of two at once one wins, and as nobody knows which of them is the thief, the session ends", async () => {
    const { grant, refresh, isGood, news } = await makeGranted();
    news();
    const both = await Promise.allSettled([refresh(grant.refreshToken), refresh(grant.refreshToken, thief)]);
    const won = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(won).toHaveLength(1);
    expect(await isGood(won[0]?.accessToken ?? "")).toBe(false);
    expect(await faultOf(() => refresh(won[0]?.refreshToken ?? ""))).toBe(refused);
    expect(news()).toEqual(["session.replayed user:ada", "session.ended user:ada"]);
  });

  test("is replayed also after a restart of the hub", async () => {
    const { grant, refresh, openAgain, news } = await makeGranted();
    await refresh(grant.refreshToken);
    news();
    expect(await faultOf(() => openAgain().grants.refresh(grant.refreshToken, thief))).toBe(refused);
    expect(news()).toContain("session.replayed user:ada");
  });

  test.each(["", "x", "undefined", "%"])("that nobody was given is refused, quietly: %j", async (token) => {
    const { refresh, news } = await makeGranted();
    news();
    expect(await faultOf(() => refresh(token))).toBe(refused);
    expect(news()).toEqual([]);
  });

  test("is none of the other secrets, nor are they it", async () => {
    const { grant, refresh, users, ada } = await makeGranted();
    const { secret } = users.sessions.openBrowser(ada, from);
    for (const other of [grant.accessToken, secret]) expect(await faultOf(() => refresh(other))).toBe(refused);
    expect(await users.identify({ bearer: grant.refreshToken })).toEqual({ kind: "nobody" });
    expect(await users.identify({ cookie: grant.refreshToken })).toEqual({ kind: "nobody" });
  });

  test("that is not used for a week is good for nothing; one that is used lives thirty days", async () => {
    const { grant, refresh, clock } = await makeGranted();
    await clock.turn(idleMs - 1);
    let current = await refresh(grant.refreshToken);
    await clock.turn(idleMs);
    expect(await faultOf(() => refresh(current.refreshToken))).toBe(refused);

    const other = await makeGranted();
    current = other.grant;
    for (let day = 1; day < sessionMs / dayMs; day++) {
      await other.clock.turn(dayMs);
      current = await other.refresh(current.refreshToken);
    }
    await other.clock.turn(dayMs);
    expect(await faultOf(() => other.refresh(current.refreshToken))).toBe(refused);
  });

  test.each<[what: string, deed: (scene: Awaited<ReturnType<typeof makeGranted>>) => unknown]>([
    ["a user who is disabled", ({ users }) => users.disable("ada", origin)],
    ["a user whose password was reset", ({ users }) => users.reset("ada", origin)],
    [
      "a user who was disabled and is enabled again",
      ({ users }) => [users.disable("ada", origin), users.enable("ada", origin)],
    ],
    [
      "one who signed out",
      async ({ users, grant }) => {
        const caller = await users.identify({ bearer: grant.accessToken });
        if (caller.kind === "user") users.sessions.end(caller.session.id, "signed out", origin);
      },
    ],
  ])("of %s is refused, and is no replay", async (_what, deed) => {
    const scene = await makeGranted();
    const second = await scene.refresh(scene.grant.refreshToken);
    await deed(scene);
    scene.news();
    for (const { refreshToken } of [second, scene.grant])
      expect(await faultOf(() => scene.refresh(refreshToken))).toBe(refused);
    expect(scene.news()).toEqual([]);
  });

  test("tells of the role that the user has now", async () => {
    const { users, grant, refresh, add } = await makeGranted("admin");
    await add("grace", "admin");
    users.setRole("ada", "viewer", origin);
    const next = await refresh(grant.refreshToken);
    expect(next.user.role).toBe("viewer");
    expect(await users.identify({ bearer: next.accessToken })).toMatchObject({ role: "viewer" });
  });
});
