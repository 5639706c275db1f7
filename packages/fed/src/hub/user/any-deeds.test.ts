import fc from "fast-check";
import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import type { Caller } from "#wire/handler.ts";
import { mayDo } from "#wire/role.ts";
import { anyDeed, callersOf, type Deed, type Hands, openHands, passwordIn, run, secretsOf } from "./hands.scene.ts";
import { everyText, from, makeScene, type Scene } from "./user.scene.ts";
import { hasAdmin, maySignIn } from "./user.ts";

/** Does it; that it is refused is fine, that it breaks is not. */
async function attempt(hands: Hands, deed: Deed): Promise<void> {
  try {
    await run(hands, deed);
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code === "internal") throw thrown;
  }
}

const ownersOf = ({ db }: Scene) =>
  new Map(db.prepare("SELECT id, user FROM api_token", ({ id, user }) => [String(id), String(user)] as const).all());

/** Whoever is identified may sign in at this moment, and may do no more than their role. */
function checkCaller(scene: Scene, owners: ReadonlyMap<string, string>, caller: Caller): void {
  if (caller.kind === "nobody") return;
  if (caller.kind === "local" || caller.kind === "machine") throw new Error(`somebody became ${caller.kind}`);
  const id = caller.kind === "user" ? caller.userId : owners.get(caller.tokenId);
  const user = scene.users.list().find((one) => one.id === id);
  expect(user && maySignIn(user), "somebody is identified who may not sign in").toBe(true);
  if (caller.kind === "user") expect([caller.name, caller.role]).toEqual([user?.name, user?.role]);
  else expect(mayDo(user?.role ?? "open", caller.role)).toBe(true);
}

async function checkEnd(scene: Scene, hands: Hands): Promise<void> {
  const admin = scene.users.list().find((user) => hasAdmin([user]))?.name;
  if (admin !== undefined) {
    const elsewhere = { ...from, address: "2001:db8::1" };
    expect((await hands.users.authenticate(admin, passwordIn(hands, admin), elsewhere)).name).toBe(admin);
  }
  const kept = everyText(scene);
  for (const secret of secretsOf(hands)) expect(kept.includes(secret), `${secret} is in the database`).toBe(false);
  expect(await scene.log.verify()).toMatchObject({ kind: "sound" });
}

test("whatever is done in whatever order: an admin stays, the dead stay dead, no secret is kept", async () => {
  const seen = { governed: 0, known: 0, dead: 0, done: new Set<string>() };
  await fc.assert(
    fc.asyncProperty(fc.array(anyDeed, { minLength: 10, maxLength: 60, size: "max" }), async (deeds) => {
      const scene = makeScene();
      const hands = openHands(scene);
      const dead = new Set<string>();
      let governed = false;
      const first: Deed = { do: "restart", name: "ada", role: "viewer", pick: 0 };
      for (const deed of [first, { ...first, do: "enrol" as const }, ...deeds]) {
        const before = scene.log.last;
        await attempt(hands, deed);
        if (scene.log.last > before) seen.done.add(deed.do);
        const owners = ownersOf(scene);
        for (const [secret, caller] of await callersOf(hands)) {
          checkCaller(scene, owners, caller);
          if (caller.kind === "user") expect(dead.has(secret), "a session came back").toBe(false);
          // A token works again when its owner may sign in again.
          else if (caller.kind === "nobody" && !secret.startsWith("fed_")) dead.add(secret);
          if (caller.kind !== "nobody") seen.known++;
        }
        const now = hasAdmin(scene.users.list());
        expect(now || !governed, "there is an admin who can sign in, once there was one").toBe(true);
        governed = now;
      }
      await checkEnd(scene, hands);
      seen.dead += dead.size;
      if (governed) seen.governed++;
    }),
    { numRuns: 60 },
  );
  // It was about something.
  expect(seen.governed).toBeGreaterThan(50);
  expect(seen.known).toBeGreaterThan(2_000);
  expect(seen.dead).toBeGreaterThan(50);
  for (const deed of ["add", "change", "enrol", "makeToken", "disable", "rescue", "logIn", "replay", "revoke"])
    expect(seen.done).toContain(deed);
});
