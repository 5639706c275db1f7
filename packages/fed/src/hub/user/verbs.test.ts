import { describe, expect, test } from "vitest";
import { silentTrace } from "#base/trace.ts";
import { sweepLoop } from "./loop.ts";
import { hashSecret } from "./secret.ts";
import { selectSessionByRefresh, selectSessionBySecret } from "./store.ts";
import { dayMs, faultOf, from, localToken, makeScene, origin, signingKey } from "./user.scene.ts";
import { idleMs } from "./user.ts";
import { openUsers } from "./verbs.ts";

describe("who shows what", () => {
  test("the token of the data folder is `local`, and only all of it", async () => {
    const { users } = makeScene();
    expect(await users.identify({ bearer: localToken })).toEqual({ kind: "local" });
    for (const bearer of ["", localToken.slice(1), `${localToken} `, localToken.toUpperCase(), "undefined"])
      expect(await users.identify({ bearer })).toEqual({ kind: "nobody" });
    expect(await users.identify({ cookie: localToken })).toEqual({ kind: "nobody" });
  });

  test("a bearer is looked at before a cookie, and a bad one is not mended by a good cookie", async () => {
    const { users, add } = makeScene();
    const ada = await add("ada");
    const { secret: cookie } = users.sessions.openBrowser(ada, from);
    const { accessToken } = await users.grants.openClient(ada, from);
    expect(await users.identify({ bearer: accessToken, cookie })).toMatchObject({ session: { kind: "client" } });
    expect(await users.identify({ bearer: "bad", cookie })).toEqual({ kind: "nobody" });
    expect(await users.identify({ cookie })).toMatchObject({ session: { kind: "browser" } });
  });
});

describe("who was identified before, as they stand now", () => {
  const scenes = async () => {
    const scene = makeScene();
    await scene.add("root", "admin");
    const ada = await scene.add("ada", "operator");
    const { accessToken } = await scene.users.grants.openClient(ada, from);
    const signedIn = await scene.users.identify({ bearer: accessToken });
    const { secret } = scene.users.tokens.create(signedIn, { name: "ci", role: "operator" }, origin);
    const token = await scene.users.identify({ bearer: secret });
    return { ...scene, accessToken, signedIn, token };
  };

  test("outlives the access token, not the session", async () => {
    const { users, clock, accessToken, signedIn } = await scenes();
    await clock.turn(60 * 60_000);
    expect(await users.identify({ bearer: accessToken })).toEqual({ kind: "nobody" });
    expect(users.recall(signedIn)).toEqual(signedIn);
    if (signedIn.kind === "user") users.sessions.end(signedIn.session.id, "signed out", origin);
    expect(users.recall(signedIn)).toEqual({ kind: "nobody" });
  });

  test("has the role of now, and is nobody when disabled or revoked", async () => {
    const { users, signedIn, token } = await scenes();
    users.setRole("ada", "viewer", origin);
    expect([users.recall(signedIn), users.recall(token)]).toMatchObject([{ role: "viewer" }, { role: "viewer" }]);
    if (token.kind === "token") users.tokens.revoke({ kind: "local" }, token.tokenId, origin);
    expect(users.recall(token)).toEqual({ kind: "nobody" });
    users.disable("ada", origin);
    expect(users.recall(signedIn)).toEqual({ kind: "nobody" });
  });

  test("the machine itself and nobody stay what they are", () => {
    const { users } = makeScene();
    for (const kind of ["local", "nobody"] as const) expect(users.recall({ kind })).toEqual({ kind });
  });
});

test.each([
  ["the signing key", new Uint8Array(31), localToken],
  ["the token", signingKey, "x".repeat(31)],
  ["both, to nothing", new Uint8Array(0), ""],
])("a hub whose data folder has %s cut short does not start", async (_what, key, token) => {
  const { db, log, clock } = makeScene();
  const open = () => openUsers({ db, events: log, clock, trace: silentTrace, signingKey: key, localToken: token });
  expect(await faultOf(open)).toBe("invalid: a secret of the hub in its data folder is cut short");
});

test("another hub's access tokens are nobody's here", async () => {
  const { users, add, db, log, clock } = makeScene();
  const { accessToken } = await users.grants.openClient(await add("ada"), from);
  const other = new Uint8Array(32).fill(9);
  const stranger = openUsers({ db, events: log, clock, trace: silentTrace, signingKey: other, localToken });
  expect(await stranger.identify({ bearer: accessToken })).toEqual({ kind: "nobody" });
  expect(await users.identify({ bearer: accessToken })).toMatchObject({ name: "ada" });
});

describe("what is swept", () => {
  test("sessions that are over, with their refresh tokens; never one that lives", async () => {
    const { users, add, clock, db } = makeScene();
    const ada = await add("ada");
    const open = async () => ({
      browser: hashSecret(users.sessions.openBrowser(ada, from).secret),
      refresh: hashSecret((await users.grants.openClient(ada, from)).refreshToken),
    });
    const kept = ({ browser, refresh }: Awaited<ReturnType<typeof open>>) => [
      selectSessionBySecret(db, browser) !== undefined,
      selectSessionByRefresh(db, refresh) !== undefined,
    ];
    const old = await open();
    await clock.turn(idleMs - dayMs);
    const ended = await open();
    users.disable("ada", origin);
    users.enable("ada", origin);
    const lives = await open();
    await clock.turn(dayMs);
    users.sweep();
    // What was ended is kept for a day, so that whoever shows it is still known as a replay or as signed out.
    expect([old, ended, lives].map(kept)).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    await clock.turn(1);
    users.sweep();
    expect([old, ended, lives].map(kept)).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    await clock.turn(idleMs);
    users.sweep();
    expect(kept(lives)).toEqual([false, false]);
  });

  test("by a loop that says nothing in the log", async () => {
    const { users, add, clock, news, db } = makeScene();
    const { secret } = users.sessions.openBrowser(await add("ada"), from);
    await clock.turn(idleMs + 1);
    news();
    const loop = sweepLoop(users);
    expect(loop.timeoutMs).toBeLessThan(loop.intervalMs);
    await loop.run();
    expect(selectSessionBySecret(db, hashSecret(secret))).toBeUndefined();
    expect(news()).toEqual([]);
  });
});
