import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { mayDo, roles } from "#wire/role.ts";
import { tokenShape, userShape } from "#wire/user.ts";
import {
  type ApiToken,
  hasAdmin,
  idleMs,
  isLive,
  maySignIn,
  requireAdminLeft,
  roleOfToken,
  type Session,
  tokenState,
  type User,
  wireToken,
  wireUser,
} from "./user.ts";

const user: User = {
  ...{ id: "usr_1", name: "ada", role: "viewer", password: "$argon2id$…", createdMs: 1 },
  ...{ signedInMs: undefined, disabledMs: undefined },
};
const token: ApiToken = {
  ...{ id: "tok_1", name: "ci", prefix: "fed_12345678", role: "operator", userId: "usr_1", createdMs: 1 },
  ...{ expiresMs: undefined, usedMs: undefined, revokedMs: undefined },
};

const anyUser = fc.record({
  id: fc.constantFrom("usr_1", "usr_2", "usr_3"),
  role: fc.constantFrom(...roles),
  password: fc.constantFrom(undefined, "$argon2id$…"),
  disabledMs: fc.constantFrom(undefined, 5),
});
const asUser = (part: Partial<User>): User => ({ ...user, ...part });

test.each<[what: string, part: Partial<User>, state: string]>([
  ["has a password", {}, "active"],
  ["has chosen none yet", { password: undefined }, "invited"],
  ["is disabled", { disabledMs: 5 }, "disabled"],
  ["is disabled and has none", { disabledMs: 5, password: undefined }, "disabled"],
  ["was disabled at the beginning of time", { disabledMs: 0 }, "disabled"],
])("a user who %s is %s", (_what, part, state) => {
  const shown = wireUser(asUser(part));
  expect(shown.state).toBe(state);
  expect(maySignIn(asUser(part))).toBe(state === "active");
  expect(userShape.strict().parse(shown)).toEqual(shown);
});

test("what people see of a user has no password, and the last sign-in only when there was one", () => {
  expect(wireUser(user)).toEqual({ id: "usr_1", name: "ada", role: "viewer", state: "active", createdMs: 1 });
  expect(wireUser({ ...user, signedInMs: 0 })).toHaveProperty("signedInMs", 0);
});

describe("somebody governs the hub", () => {
  test.each<[part: Partial<User>, governs: boolean]>([
    [{ role: "admin" }, true],
    [{ role: "operator" }, false],
    [{ role: "admin", password: undefined }, false],
    [{ role: "admin", disabledMs: 5 }, false],
  ])("with %o: %s", (part, governs) => {
    expect(hasAdmin([user, asUser(part)])).toBe(governs);
    expect(hasAdmin([])).toBe(false);
  });

  test("a change is refused just when it takes the last admin away", () => {
    const people = fc.uniqueArray(anyUser, { selector: ({ id }) => id, minLength: 1 });
    fc.assert(
      fc.property(people, anyUser, (parts, change) => {
        const users = parts.map(asUser);
        fc.pre(users.some(({ id }) => id === change.id));
        const after = asUser(change);
        const next = users.map((one) => (one.id === after.id ? after : one));
        let refused = false;
        try {
          requireAdminLeft(users, after);
        } catch (thrown) {
          refused = isFault(thrown) && thrown.code === "conflict";
        }
        expect(refused).toBe(hasAdmin(users) && !hasAdmin(next));
      }),
    );
  });
});

describe("a token", () => {
  test.each<[part: Partial<ApiToken>, state: string]>([
    [{}, "active"],
    [{ expiresMs: 101 }, "active"],
    [{ expiresMs: 100 }, "expired"],
    [{ revokedMs: 50 }, "revoked"],
    [{ revokedMs: 50, expiresMs: 60 }, "revoked"],
    [{ revokedMs: 0 }, "revoked"],
  ])("with %o is %s", (part, state) => {
    const one = { ...token, ...part };
    expect(tokenState(one, 100)).toBe(state);
    expect(wireToken(one, "ada", 100).state).toBe(state);
    expect(roleOfToken(one, asUser({ role: "admin" }), 100)).toBe(state === "active" ? "operator" : undefined);
  });

  test("never may more than it was made for, nor than its owner", () => {
    fc.assert(
      fc.property(fc.constantFrom(...roles), fc.option(anyUser, { nil: undefined }), (role, part) => {
        const owner = part && asUser(part);
        const now = roleOfToken({ ...token, role }, owner, 100);
        if (!owner || !maySignIn(owner)) expect(now).toBeUndefined();
        else expect(now !== undefined && mayDo(role, now) && mayDo(owner.role, now)).toBe(true);
      }),
    );
    expect(roleOfToken({ ...token, userId: undefined }, undefined, 100)).toBe("operator");
  });

  test("what people see of it has no owner's id", () => {
    const shown = wireToken({ ...token, expiresMs: 200, usedMs: 3 }, "ada", 100);
    expect(tokenShape.strict().parse(shown)).toEqual(shown);
    expect(shown).toMatchObject({ user: "ada", expiresMs: 200, usedMs: 3 });
    expect(Object.keys(wireToken(token, undefined, 100))).not.toContain("user");
  });
});

test.each<[part: Partial<Session>, live: boolean]>([
  [{}, true],
  [{ endedMs: 5 }, false],
  [{ endedMs: 0 }, false],
  [{ expiresMs: 100 }, false],
  [{ expiresMs: 101 }, true],
  [{ usedMs: 100 - idleMs }, false],
  [{ usedMs: 101 - idleMs }, true],
  [{ createdMs: 100 + 5 * 60_000 }, true],
  [{ createdMs: 101 + 5 * 60_000 }, false],
])("a session with %o lives: %s", (part, live) => {
  const session: Session = {
    ...{ id: "ses_1", userId: "usr_1", kind: "browser", createdMs: 0, usedMs: 0, expiresMs: 1_000, endedMs: undefined },
    ...part,
  };
  expect(isLive(session, 100)).toBe(live);
});
