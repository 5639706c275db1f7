import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { silentTrace } from "#base/trace.ts";
import type { Caller } from "#wire/handler.ts";
import { makeAccessTokens } from "./jwt.ts";
import { hashSecret } from "./secret.ts";
import { openSessions } from "./session.ts";
import { selectOpenSessions, selectSessionBySecret, updateUser } from "./store.ts";
import {
  dayMs,
  everyText,
  faultOf,
  from,
  localToken,
  makeScene,
  minuteMs,
  origin,
  passwordOf,
  signingKey,
} from "./user.scene.ts";
import { idleMs, mostSessions, sessionMs } from "./user.ts";
import { openUsers } from "./verbs.ts";

const nobody = { kind: "nobody" };
const sessionOf = (caller: Caller) => (caller.kind === "user" ? caller.session.id : "none");

describe("a browser's session", () => {
  test("is opened with a secret that only the browser keeps, and is in the log", async () => {
    const scene = makeScene();
    const { users, news } = scene;
    const ada = await scene.add("ada", "operator");
    news();
    const { secret, maxAgeSeconds } = users.sessions.openBrowser(ada, from);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(maxAgeSeconds * 1_000).toBe(sessionMs);
    const caller = users.sessions.ofCookie(secret);
    expect(caller).toEqual({
      ...{ kind: "user", userId: ada.id, name: "ada", role: "operator" },
      session: { id: expect.stringMatching(/^ses_/), kind: "browser" },
    });
    expect(await users.identify({ cookie: secret })).toEqual(caller);
    expect(everyText(scene)).toContain(hashSecret(secret));
    expect(everyText(scene)).not.toContain(secret);
    expect(news()).toEqual(["session.opened user:ada"]);
    expect(scene.events().at(-1)).toMatchObject({
      ...{ actor: "user:ada", correlation: from.correlation },
      data: { session: sessionOf(caller), kind: "browser", address: from.address },
    });
  });

  test("is not found by anything but its secret", async () => {
    const scene = makeScene();
    const { secret } = scene.users.sessions.openBrowser(await scene.add("ada"), from);
    const session = selectSessionBySecret(scene.db, hashSecret(secret));
    for (const shown of ["", " ", "%", secret.slice(1), `${secret}=`, secret.toUpperCase(), hashSecret(secret)])
      expect(scene.users.sessions.ofCookie(shown)).toEqual(nobody);
    expect(scene.users.sessions.ofCookie(session?.id ?? "")).toEqual(nobody);
    expect(await scene.users.identify({ bearer: secret })).toEqual(nobody);
    expect(await scene.users.identify({})).toEqual(nobody);
  });

  test("outlives the hub's restart", async () => {
    const scene = makeScene();
    const { secret, csrf } = scene.users.sessions.openBrowser(await scene.add("ada"), from);
    const again = scene.openAgain();
    const caller = again.sessions.ofCookie(secret);
    expect(caller).toMatchObject({ name: "ada" });
    expect(again.checkCsrf(caller, csrf)).toBe(true);
  });

  test("of a clock that was years ahead is good for nothing when the clock is right, nor is what came with it", async () => {
    const scene = makeScene();
    const { users, clock } = scene;
    const ada = await scene.add("ada", "admin");
    const { nowMs } = clock;
    clock.nowMs = () => nowMs() + 2_000 * dayMs;
    const { secret } = users.sessions.openBrowser(ada, from);
    const { accessToken, refreshToken } = await users.grants.openClient(ada, from);
    const code = users.rescue("ada", origin).code;
    expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada" });
    clock.nowMs = nowMs;
    expect(users.sessions.ofCookie(secret)).toEqual(nobody);
    expect(await users.identify({ bearer: accessToken })).toEqual(nobody);
    expect(await faultOf(() => users.grants.refresh(refreshToken, from))).toMatch(/^unauthenticated/);
    expect(await faultOf(() => users.links.look(code))).toBe("missing: this link is no longer good");
  });

  test.each([2_000 * dayMs, -2_000 * dayMs])(
    "does not come back after a new password when the clock was off by %d ms",
    async (offMs) => {
      const scene = makeScene();
      const { users, clock } = scene;
      const ada = await scene.add("ada");
      const { secret } = users.sessions.openBrowser(ada, from);
      const { nowMs } = clock;
      clock.nowMs = () => nowMs() + offMs;
      scene.log.deed(origin, (tx, emit) => users.sessions.endAllIn(tx, emit, ada, "a new password was chosen"));
      clock.nowMs = nowMs;
      expect(users.sessions.ofCookie(secret)).toEqual(nobody);
    },
  );

  test("that is ended while the disk is full is over at once, and written when there is room", async () => {
    const scene = makeScene();
    const { db, log, clock } = scene;
    const ada = await scene.add("ada");
    let full = false;
    const deed: typeof log.deed = (...deed) => {
      if (full) throw new Fault("unreachable", "the disk is full");
      return log.deed(...deed);
    };
    const events = { ...log, deed, last: 0 };
    const users = openUsers({ db, clock, events, trace: silentTrace, signingKey, localToken });
    const { secret } = users.sessions.openBrowser(ada, from);
    const { accessToken, refreshToken } = await users.grants.openClient(ada, from);
    const callers = [users.sessions.ofCookie(secret), await users.identify({ bearer: accessToken })];
    scene.news();
    full = true;
    for (const caller of callers) users.sessions.end(sessionOf(caller), "signed out", origin);
    expect(users.sessions.ofCookie(secret)).toEqual(nobody);
    expect(await users.identify({ bearer: accessToken })).toEqual(nobody);
    for (const caller of callers) expect(users.recall(caller)).toEqual(nobody);
    expect(scene.news()).toEqual([]);
    full = false;
    expect(await faultOf(() => users.grants.refresh(refreshToken, from))).toMatch(/^unauthenticated/);
    users.sweep();
    expect(scene.news()).toEqual(["session.ended user:ada", "session.ended user:ada"]);
    expect(scene.events().at(-1)).toMatchObject({ ...origin, data: { reason: "signed out" } });
    expect(scene.openAgain().sessions.ofCookie(secret)).toEqual(nobody);
  });

  test("opened anew has a secret of its own, so that one that was planted before is worth nothing", async () => {
    const scene = makeScene();
    const ada = await scene.add("ada");
    const opened = Array.from({ length: 5 }, () => scene.users.sessions.openBrowser(ada, from));
    expect(new Set(opened.map(({ secret }) => secret)).size).toBe(5);
    expect(new Set(opened.map(({ csrf }) => csrf)).size).toBe(5);
  });
});

describe("the token of our own pages", () => {
  test("is good for its session alone", async () => {
    const { users, add } = makeScene();
    const ada = await add("ada");
    const [one, other] = [users.sessions.openBrowser(ada, from), users.sessions.openBrowser(ada, from)];
    const caller = users.sessions.ofCookie(one.secret);
    expect(users.sessions.csrfOf(sessionOf(caller))).toBe(one.csrf);
    expect(users.checkCsrf(caller, one.csrf)).toBe(true);
    for (const header of [undefined, "", other.csrf, one.secret, one.csrf.slice(1), `${one.csrf} `, "undefined"])
      expect(users.checkCsrf(caller, header)).toBe(false);
    for (const other of [nobody, { kind: "local" }, { kind: "token", tokenId: "tok_1", name: "ci", role: "admin" }])
      expect(users.checkCsrf(other as Caller, one.csrf)).toBe(false);
  });

  test("needs the hub's key, and is none of an access token's signatures", async () => {
    const { users, add, db, log, clock } = makeScene();
    const { secret, csrf } = users.sessions.openBrowser(await add("ada"), from);
    const other = new Uint8Array(32).fill(8);
    const accessTokens = makeAccessTokens(other, clock);
    const stranger = openSessions({ db, events: log, clock, accessTokens, signingKey: other });
    const id = sessionOf(users.sessions.ofCookie(secret));
    expect(stranger.csrfOf(id)).not.toBe(csrf);
    expect(users.sessions.checkCsrf(id, stranger.csrfOf(id))).toBe(false);
    const signature = (await accessTokens.sign({ userId: "x", sessionId: id })).split(".")[2];
    expect(users.sessions.checkCsrf(id, signature)).toBe(false);
  });
});

describe("a session ends", () => {
  test("after a week without use", async () => {
    const { users, add, clock } = makeScene();
    const { secret } = users.sessions.openBrowser(await add("ada"), from);
    await clock.turn(idleMs - 1);
    expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada" });
    await clock.turn(idleMs - 1);
    expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada" });
    await clock.turn(idleMs);
    expect(users.sessions.ofCookie(secret)).toEqual(nobody);
  });

  test("after thirty days, however much it is used", async () => {
    const { users, add, clock } = makeScene();
    const { secret } = users.sessions.openBrowser(await add("ada"), from);
    for (let day = 1; day < sessionMs / dayMs; day++) {
      await clock.turn(dayMs);
      expect(users.sessions.ofCookie(secret), `day ${day}`).toMatchObject({ name: "ada" });
    }
    await clock.turn(dayMs - 1);
    expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada" });
    await clock.turn(1);
    expect(users.sessions.ofCookie(secret)).toEqual(nobody);
  });

  test("once: with its reason in the log, and whatever shows it is nobody", async () => {
    const { users, add, news, events } = makeScene();
    const ada = await add("ada");
    const { secret } = users.sessions.openBrowser(ada, from);
    const { secret: other } = users.sessions.openBrowser(ada, from);
    const id = sessionOf(users.sessions.ofCookie(secret));
    news();
    users.sessions.end(id, "signed out", origin);
    users.sessions.end(id, "signed out", origin);
    users.sessions.end("ses_none", "signed out", origin);
    expect(news()).toEqual(["session.ended user:ada"]);
    expect(events().at(-1)?.data).toEqual({ session: id, reason: "signed out" });
    expect(users.sessions.ofCookie(secret)).toEqual(nobody);
    expect(users.sessions.ofCookie(other)).toMatchObject({ name: "ada" });
  });

  test("when there are too many: the one used longest ago", async () => {
    const { users, add, clock, db, events } = makeScene();
    const ada = await add("ada");
    const secrets: string[] = [];
    for (let n = 0; n < mostSessions; n++) {
      secrets.push(users.sessions.openBrowser(ada, from).secret);
      await clock.turn(minuteMs);
    }
    users.sessions.ofCookie(secrets[0] ?? "");
    await clock.turn(minuteMs);
    secrets.push(users.sessions.openBrowser(ada, from).secret);
    const gone = secrets.flatMap((secret, n) => (users.sessions.ofCookie(secret).kind === "nobody" ? [n] : []));
    expect(gone).toEqual([1]);
    expect(selectOpenSessions(db, ada.id)).toHaveLength(mostSessions);
    expect(events().filter(({ type }) => type === "session.ended")).toMatchObject([
      { data: { reason: "too many sessions" } },
    ]);
  });

  test("that are over do not count as too many", async () => {
    const { users, add, clock, news } = makeScene();
    const ada = await add("ada");
    for (let n = 0; n < mostSessions; n++) users.sessions.openBrowser(ada, from);
    await clock.turn(idleMs);
    news();
    users.sessions.openBrowser(ada, from);
    expect(news()).toEqual(["session.opened user:ada"]);
  });
});

describe("what is done to a user counts from the next request", () => {
  test("a stolen session is dead after the password was changed, of a browser or a program; one's own lives", async () => {
    const { users, add } = makeScene();
    const ada = await add("ada");
    const own = users.sessions.openBrowser(ada, from).secret;
    const stolen = users.sessions.openBrowser(ada, { ...from, address: "198.51.100.1" }).secret;
    const program = await users.grants.openClient(ada, from);
    const ended = await users.changePassword(users.sessions.ofCookie(own), passwordOf("ada"), "a new password", from);
    expect(ended).toBe(2);
    expect(users.sessions.ofCookie(stolen)).toEqual(nobody);
    expect(await users.sessions.ofAccessToken(program.accessToken)).toEqual(nobody);
    expect(await faultOf(() => users.grants.refresh(program.refreshToken, from))).toMatch(/^unauthenticated/);
    expect(users.sessions.ofCookie(own)).toMatchObject({ name: "ada" });
  });

  test("a user that is disabled is nobody, and the sessions do not come back", async () => {
    const { users, add } = makeScene();
    const ada = await add("ada");
    const { secret } = users.sessions.openBrowser(ada, from);
    const { accessToken } = await users.grants.openClient(ada, from);
    users.disable("ada", origin);
    for (const enabled of [false, true]) {
      if (enabled) users.enable("ada", origin);
      expect(users.sessions.ofCookie(secret)).toEqual(nobody);
      expect(await users.sessions.ofAccessToken(accessToken)).toEqual(nobody);
    }
  });

  test("another role", async () => {
    const { users, add } = makeScene();
    const ada = await add("ada", "operator");
    const { secret } = users.sessions.openBrowser(ada, from);
    const { accessToken } = await users.grants.openClient(ada, from);
    users.setRole("ada", "viewer", origin);
    expect(users.sessions.ofCookie(secret)).toMatchObject({ role: "viewer" });
    expect(await users.sessions.ofAccessToken(accessToken)).toMatchObject({ role: "viewer" });
  });

  test.each<[what: string, deed: "disable" | "reset"]>([
    ["disabled", "disable"],
    ["given a new password", "reset"],
  ])("no session is opened for one who was %s since the password was checked", async (_what, deed) => {
    const { users, add, news } = makeScene();
    const ada = await add("ada");
    users[deed]("ada", origin);
    news();
    for (const open of [() => users.sessions.openBrowser(ada, from), () => users.grants.openClient(ada, from)])
      expect(await faultOf(open)).toBe("unauthenticated: this sign-in is no longer good");
    expect(news()).toEqual([]);
  });
});

test("no session is opened with a password that was changed since it was checked", async () => {
  const { users, add, news } = makeScene();
  const ada = await add("ada");
  const caller = users.sessions.ofCookie(users.sessions.openBrowser(ada, from).secret);
  await users.changePassword(caller, passwordOf("ada"), "a new password", from);
  news();
  for (const open of [() => users.sessions.openBrowser(ada, from), () => users.grants.openClient(ada, from)])
    expect(await faultOf(open)).toBe("unauthenticated: this sign-in is no longer good");
  expect(news()).toEqual([]);
});

test("one who may not sign in is nobody even where a session was left open", async () => {
  const { users, add, db } = makeScene();
  const ada = await add("ada");
  const { secret } = users.sessions.openBrowser(ada, from);
  const { accessToken, refreshToken } = await users.grants.openClient(ada, from);
  for (const left of [{ disabledMs: 1 }, { password: undefined }]) {
    db.tx((tx) => updateUser(tx, { ...ada, ...left }));
    expect(users.sessions.ofCookie(secret)).toEqual(nobody);
    expect(await users.sessions.ofAccessToken(accessToken)).toEqual(nobody);
    expect(await faultOf(() => users.grants.refresh(refreshToken, from))).toMatch(/^unauthenticated/);
  }
  db.tx((tx) => updateUser(tx, ada));
  expect(users.sessions.ofCookie(secret)).toMatchObject({ name: "ada" });
});

describe("an access token", () => {
  test("names a session of a program, of the very user", async () => {
    const { users, add, clock } = makeScene();
    const [ada, grace] = [await add("ada"), await add("grace", "admin")];
    const browser = sessionOf(users.sessions.ofCookie(users.sessions.openBrowser(ada, from).secret));
    const { accessToken } = await users.grants.openClient(ada, from);
    const caller = await users.identify({ bearer: accessToken });
    expect(caller).toMatchObject({ kind: "user", name: "ada", session: { kind: "client" } });
    const { sign } = makeAccessTokens(signingKey, clock);
    const identify = async (userId: string, sessionId: string) =>
      users.sessions.ofAccessToken(await sign({ userId, sessionId }));
    expect(await identify(ada.id, sessionOf(caller))).toEqual(caller);
    expect(await identify(ada.id, browser)).toEqual(nobody);
    expect(await identify(grace.id, sessionOf(caller))).toEqual(nobody);
    expect(await identify(ada.id, "ses_none")).toEqual(nobody);
    expect(await identify("usr_none", "ses_none")).toEqual(nobody);
    expect(users.sessions.ofCookie(accessToken)).toEqual(nobody);
  });
});

describe("how exact `used last` is", () => {
  const usedMs = (scene: ReturnType<typeof makeScene>, secret: string) =>
    selectSessionBySecret(scene.db, hashSecret(secret))?.usedMs;

  test("a minute, so that not each request is a write", async () => {
    const scene = makeScene();
    const { secret } = scene.users.sessions.openBrowser(await scene.add("ada"), from);
    const openedMs = scene.clock.nowMs();
    await scene.clock.turn(minuteMs - 1);
    scene.users.sessions.ofCookie(secret);
    expect(usedMs(scene, secret)).toBe(openedMs);
    await scene.clock.turn(1);
    scene.users.sessions.ofCookie(secret);
    expect(usedMs(scene, secret)).toBe(openedMs + minuteMs);
  });

  test("a disk that is full signs nobody out, a defect is not hidden", async () => {
    const { users, add, db, log, clock } = makeScene();
    const { secret } = users.sessions.openBrowser(await add("ada"), from);
    await clock.turn(minuteMs);
    const through = (fault: Fault) => {
      const deed = () => {
        throw fault;
      };
      const accessTokens = makeAccessTokens(signingKey, clock);
      return openSessions({ db, events: { ...log, deed, last: 0 }, clock, accessTokens, signingKey });
    };
    const full = through(new Fault("unreachable", "the disk is full"));
    expect(full.ofCookie(secret)).toMatchObject({ name: "ada" });
    expect(() => through(new Fault("internal", "a defect")).ofCookie(secret)).toThrow("a defect");
  });
});
