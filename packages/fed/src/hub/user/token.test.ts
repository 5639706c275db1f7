import { describe, expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import type { Caller } from "#wire/handler.ts";
import type { Role } from "#wire/role.ts";
import { tokenShape } from "#wire/user.ts";
import { hashSecret } from "./secret.ts";
import { selectTokenBySecret } from "./store.ts";
import { openApiTokens } from "./token.ts";
import { dayMs, everyText, faultOf, from, makeScene, minuteMs, origin } from "./user.scene.ts";
import { mostDeadTokens, mostTokens } from "./user.ts";

const nobody: Caller = { kind: "nobody" };
const local: Caller = { kind: "local" };

function makeTokenScene() {
  const scene = makeScene();
  const { users, add } = scene;
  /** Somebody signed in. */
  const signIn = async (name: string, role: Role): Promise<Caller> =>
    users.sessions.ofCookie(users.sessions.openBrowser(await add(name, role), from).secret);
  const create = (caller: Caller, role: Role = "viewer", expiresInDays?: number) =>
    users.tokens.create(caller, { name: "ci", role, expiresInDays }, origin);
  return { ...scene, signIn, create };
}

describe("a token", () => {
  test("is shown once, recognised by its first letters, and stored as a hash", async () => {
    const scene = makeTokenScene();
    const { create, users, signIn, events } = scene;
    const { token, secret } = create(await signIn("ada", "operator"), "operator", 30);
    expect(secret).toMatch(/^fed_[0-9a-f]{8}_[\w-]{43}$/);
    expect(tokenShape.parse(token)).toEqual(token);
    expect(token).toMatchObject({ name: "ci", role: "operator", user: "ada", state: "active" });
    expect(token.prefix).toBe(secret.slice(0, 12));
    expect(token.expiresMs).toBe(scene.clock.nowMs() + 30 * dayMs);
    const text = everyText(scene);
    expect(text).toContain(hashSecret(secret));
    expect(text).toContain(token.prefix);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(secret.slice(13));
    expect(JSON.stringify(users.tokens.list(local))).not.toContain(secret.slice(13));
    expect(events().at(-1)).toMatchObject({
      ...{ type: "token.created", subject: "token:ci", actor: origin.actor },
      data: { token: token.id, name: "ci", role: "operator", expiresMs: token.expiresMs },
    });
  });

  test("says who it is, as a bearer and not as a cookie", async () => {
    const { create, users, signIn } = makeTokenScene();
    const { token, secret } = create(await signIn("ada", "operator"), "viewer");
    const caller = { kind: "token", tokenId: token.id, name: "ci", role: "viewer" };
    expect(await users.identify({ bearer: secret })).toEqual(caller);
    expect(await users.identify({ cookie: secret })).toEqual(nobody);
    expect(await users.identify({ bearer: secret, cookie: "x" })).toEqual(caller);
    for (const wrong of [token.prefix, `${token.prefix}_`, secret.slice(0, -1), `${secret}x`, secret.toUpperCase()])
      expect(await users.identify({ bearer: wrong })).toEqual(nobody);
    expect(await users.identify({ bearer: hashSecret(secret) })).toEqual(nobody);
  });

  test("ends at its end", async () => {
    const { create, users, clock } = makeTokenScene();
    const { secret } = create(local, "viewer", 1);
    await clock.turn(dayMs - 1);
    expect(users.tokens.identify(secret)).toMatchObject({ kind: "token" });
    await clock.turn(1);
    expect(users.tokens.identify(secret)).toEqual(nobody);
    expect(users.tokens.list(local)).toMatchObject([{ state: "expired" }]);
  });

  test("that was made by a clock years ahead ends at once when the clock is right", async () => {
    const { create, users, clock } = makeTokenScene();
    const { nowMs } = clock;
    clock.nowMs = () => nowMs() + 2_000 * dayMs;
    const [ending, endless] = [create(local, "viewer", 30), create(local)];
    expect(users.tokens.identify(ending.secret)).toMatchObject({ kind: "token" });
    clock.nowMs = nowMs;
    expect(users.tokens.identify(ending.secret)).toEqual(nobody);
    expect(users.tokens.identify(endless.secret)).toMatchObject({ kind: "token" });
  });

  test("without an end lives on", async () => {
    const { create, users, clock } = makeTokenScene();
    const { token, secret } = create(local);
    expect(token).not.toHaveProperty("expiresMs");
    await clock.turn(10_000 * dayMs);
    users.sweep();
    expect(users.tokens.identify(secret)).toMatchObject({ kind: "token" });
  });

  test("that is revoked is good for nothing from the next request, and said once", async () => {
    const { create, users, signIn, news } = makeTokenScene();
    const ada = await signIn("ada", "viewer");
    const { token, secret } = create(ada);
    news();
    expect(users.tokens.revoke(ada, token.id, origin)).toMatchObject({ id: token.id, state: "revoked" });
    expect(users.tokens.revoke(ada, token.id, origin)).toMatchObject({ state: "revoked" });
    expect(users.tokens.identify(secret)).toEqual(nobody);
    expect(news()).toEqual(["token.revoked token:ci"]);
  });

  test("shows when it was used last, to the minute", async () => {
    const { create, users, clock } = makeTokenScene();
    const { secret } = create(local);
    const usedMs = () => users.tokens.list(local)[0]?.usedMs;
    expect(usedMs()).toBeUndefined();
    users.tokens.identify(secret);
    const firstMs = clock.nowMs();
    expect(usedMs()).toBe(firstMs);
    await clock.turn(minuteMs - 1);
    users.tokens.identify(secret);
    expect(usedMs()).toBe(firstMs);
    await clock.turn(1);
    users.tokens.identify(secret);
    expect(usedMs()).toBe(firstMs + minuteMs);
  });

  test("works while the disk is full; a defect is not hidden", () => {
    const { create, db, log, clock } = makeTokenScene();
    const { secret } = create(local);
    const through = (fault: Fault) => {
      const deed = () => {
        throw fault;
      };
      return openApiTokens({ db, clock, events: { ...log, deed, last: 0 } });
    };
    expect(through(new Fault("unreachable", "the disk is full")).identify(secret)).toMatchObject({ kind: "token" });
    expect(() => through(new Fault("internal", "a defect")).identify(secret)).toThrow("a defect");
  });
});

describe("a token may do no more than its owner may now", () => {
  test("when the owner is lowered, so is the token; when raised again, it is as it was made", async () => {
    const { create, users, signIn, add } = makeTokenScene();
    await add("root", "admin");
    const { secret } = create(await signIn("ada", "admin"), "admin");
    const roleNow = () => {
      const caller = users.tokens.identify(secret);
      return caller.kind === "token" ? caller.role : caller.kind;
    };
    expect(roleNow()).toBe("admin");
    users.setRole("ada", "viewer", origin);
    expect(roleNow()).toBe("viewer");
    users.setRole("ada", "operator", origin);
    expect(roleNow()).toBe("operator");
    users.setRole("ada", "admin", origin);
    expect(roleNow()).toBe("admin");
  });

  test("a viewer's token stays a viewer's when its owner is raised", async () => {
    const { create, users, signIn } = makeTokenScene();
    const { secret } = create(await signIn("ada", "viewer"), "viewer");
    users.setRole("ada", "admin", origin);
    expect(users.tokens.identify(secret)).toMatchObject({ role: "viewer" });
  });

  test.each<["disable" | "reset"]>([["disable"], ["reset"]])("after %s of its owner it is nobody's", async (deed) => {
    const { create, users, signIn } = makeTokenScene();
    const { secret } = create(await signIn("ada", "operator"), "operator");
    users[deed]("ada", origin);
    expect(users.tokens.identify(secret)).toEqual(nobody);
  });

  test("one that was made on the hub's machine has no owner and stays what it is", async () => {
    const { create, users } = makeTokenScene();
    const { token, secret } = create(local, "admin");
    expect(token).not.toHaveProperty("user");
    expect(users.tokens.identify(secret)).toMatchObject({ role: "admin" });
  });

  test.each<[has: Role, wants: Role, fault: string]>([
    ["viewer", "viewer", "no fault"],
    ["viewer", "operator", "denied: you are viewer: a token of yours can't be operator"],
    ["operator", "admin", "denied: you are operator: a token of yours can't be admin"],
    ["admin", "admin", "no fault"],
  ])("a %s makes a token that is %s: %s", async (has, wants, fault) => {
    const { create, signIn, users } = makeTokenScene();
    const caller = await signIn("ada", has);
    expect(await faultOf(() => create(caller, wants))).toBe(fault);
    expect(users.tokens.list(local)).toHaveLength(fault === "no fault" ? 1 : 0);
  });

  test("a token makes no tokens, and nobody makes none", async () => {
    const { create, users } = makeTokenScene();
    const token = users.tokens.identify(create(local, "admin").secret);
    expect(await faultOf(() => create(token))).toBe("denied: a token makes no tokens");
    expect(await faultOf(() => create(nobody))).toMatch(/^denied: /);
    expect(users.tokens.list(local)).toHaveLength(1);
  });
});

describe("how many there are", () => {
  test("a user has a hundred that are good, and makes room by ending one", async () => {
    const { create, users, signIn } = makeTokenScene();
    const [ada, grace] = [await signIn("ada", "viewer"), await signIn("grace", "viewer")];
    const made = Array.from({ length: mostTokens }, () => create(ada));
    const full = () => faultOf(() => create(ada));
    expect(await full()).toBe("conflict: you have 100 tokens already");
    create(grace);
    for (let n = 0; n <= mostTokens; n++) create(local);
    users.tokens.revoke(ada, made[0]?.token.id ?? "", origin);
    create(ada);
    expect(await full()).toMatch(/^conflict/);
  });

  test("of those that are good for nothing the newest are kept, and the list begins with the newest", async () => {
    const { create, users, signIn, clock } = makeTokenScene();
    const ada = await signIn("ada", "viewer");
    const lives = create(ada);
    for (let n = 0; n < mostDeadTokens + 50; n++) {
      await clock.turn(1);
      users.tokens.revoke(ada, create(ada).token.id, origin);
    }
    await clock.turn(1);
    const last = create(ada);
    const ids = users.tokens.list(ada).map(({ id }) => id);
    expect(ids).toHaveLength(mostDeadTokens + 2);
    expect([ids[0], ids.at(-1)]).toEqual([last.token.id, lives.token.id]);
  });
});

describe("who sees and revokes which", () => {
  test("one's own; all of them for an admin; itself for a token", async () => {
    const { create, users, signIn } = makeTokenScene();
    const callers = {
      ada: await signIn("ada", "operator"),
      grace: await signIn("grace", "viewer"),
      root: await signIn("root", "admin"),
    };
    const made = {
      ada: create(callers.ada, "operator"),
      grace: create(callers.grace),
      root: create(callers.root, "admin"),
      hub: create(local),
    };
    const seen = (caller: Caller) => users.tokens.list(caller).map(({ user = "hub" }) => user);
    const asToken = (name: keyof typeof made) => users.tokens.identify(made[name].secret);
    const all = ["hub", "root", "grace", "ada"].toSorted();
    expect(seen(callers.ada)).toEqual(["ada"]);
    expect(seen(callers.grace)).toEqual(["grace"]);
    expect(seen(callers.root).toSorted()).toEqual(all);
    expect(seen(local).toSorted()).toEqual(all);
    expect(seen(asToken("ada"))).toEqual(["ada"]);
    expect(seen(asToken("hub"))).toEqual(["hub"]);
    expect(seen(asToken("root")).toSorted()).toEqual(all);
    expect(seen(nobody)).toEqual([]);

    const missing = `missing: there is no token ${made.grace.token.id}`;
    for (const other of [callers.ada, asToken("ada"), asToken("hub"), nobody])
      expect(await faultOf(() => users.tokens.revoke(other, made.grace.token.id, origin))).toBe(missing);
    expect(asToken("grace")).toMatchObject({ kind: "token" });
    users.tokens.revoke(asToken("ada"), made.ada.token.id, origin);
    users.tokens.revoke(callers.root, made.grace.token.id, origin);
    expect([asToken("ada"), asToken("grace")]).toEqual([nobody, nobody]);
  });

  test("there is no token by another name", async () => {
    const { create, users } = makeTokenScene();
    const { token, secret } = create(local);
    for (const id of ["", "tok_none", token.prefix, token.name, token.id.toUpperCase(), "%"])
      expect(await faultOf(() => users.tokens.revoke(local, id, origin))).toBe(`missing: there is no token ${id}`);
    expect(users.tokens.identify(secret)).toMatchObject({ kind: "token" });
  });
});

test("what has been good for nothing for ninety days is forgotten, and nothing else", async () => {
  const { create, users, clock, db } = makeTokenScene();
  const [expires, revoked, lives] = [create(local, "viewer", 10), create(local), create(local, "viewer", 365)];
  await clock.turn(10 * dayMs);
  users.tokens.revoke(local, revoked.token.id, origin);
  await clock.turn(90 * dayMs);
  users.sweep();
  expect(users.tokens.list(local)).toHaveLength(3);
  await clock.turn(1);
  users.sweep();
  expect(users.tokens.list(local).map(({ id }) => id)).toEqual([lives.token.id]);
  expect(selectTokenBySecret(db, hashSecret(expires.secret))).toBeUndefined();
});
