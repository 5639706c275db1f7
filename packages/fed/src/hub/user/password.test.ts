import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openPasswords } from "./password.ts";
import { faultOf, makeCheapDerive } from "./user.scene.ts";

/** What the limit of the machine's memory allows: two are computed, twenty wait. */
const room = 22;

function makePasswords() {
  const cheap = makeCheapDerive();
  return { ...cheap, passwords: openPasswords(cheap.derive) };
}

describe("by the real argon2id", () => {
  test("a password is the one it was, and no other", async () => {
    const passwords = openPasswords();
    const stored = await passwords.hash("correct horse battery staple");
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.verify("correct horse battery staple", stored)).toBe(true);
    expect(await passwords.verify("correct horse battery stapl", stored)).toBe(false);
    expect(await passwords.verify("", stored)).toBe(false);
    expect(await passwords.verify("correct horse battery staple", undefined)).toBe(false);
  });

  /** Of the reference implementation's own tests, with more memory than ours. */
  test("what another program stored is read with the cost it was stored with", async () => {
    const stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    expect(await openPasswords().verify("password", stored)).toBe(true);
    expect(await openPasswords().verify("Password", stored)).toBe(false);
  });
});

test("whatever the password, it is right for its own hash and wrong for another's", async () => {
  const { passwords } = makePasswords();
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(text, text, async (one, other) => {
      const stored = await passwords.hash(one);
      expect(await passwords.verify(one, stored)).toBe(true);
      expect(await passwords.verify(other, stored)).toBe(one.normalize("NFKC") === other.normalize("NFKC"));
    }),
  );
});

test("the same password is stored differently each time, and never as itself", async () => {
  const { passwords } = makePasswords();
  const stored = await Promise.all(Array.from({ length: 20 }, () => passwords.hash("the same password")));
  expect(new Set(stored).size).toBe(20);
  expect(stored.join()).not.toContain("password");
  expect(stored.join()).not.toContain(Buffer.from("the same password").toString("base64").slice(0, 20));
});

test.each([
  ["one letter or two", "caf\u00e9 olé", "cafe\u0301 ol\u0065\u0301"],
  ["wide letters of an input method", "ｐａｓｓ１２３", "pass123"],
  ["a ligature", "ﬁrst", "first"],
])("one keyboard writes it as the other reads it: %s", async (_what, one, other) => {
  const { passwords } = makePasswords();
  expect(await passwords.verify(other, await passwords.hash(one))).toBe(true);
});

test("upper and lower case and spaces are not the same", async () => {
  const { passwords } = makePasswords();
  const stored = await passwords.hash("Pass word");
  for (const other of ["pass word", "Password", "Pass word ", " Pass word"])
    expect(await passwords.verify(other, stored)).toBe(false);
});

test("where there is nobody to compare with, the same work is done", async () => {
  const { passwords, asked } = makePasswords();
  const stored = await passwords.hash("a password");
  await passwords.verify("a guess", stored);
  await passwords.verify("a guess", undefined);
  const work = asked.map(({ memory, passes, parallelism, tagLength, nonce }) => [
    ...[memory, passes, parallelism, tagLength],
    (nonce as Uint8Array).length,
  ]);
  expect(work).toEqual([work[0], work[0], work[0]]);
  expect(work[0]).toEqual([19_456, 2, 1, 32, 16]);
});

test("a hash from before the cost was raised keeps its own, and its own salt", async () => {
  const { passwords, derive, asked } = makePasswords();
  const salt = Buffer.from("an old salt here");
  const cost = { memory: 4_096, passes: 3, parallelism: 2 };
  const tag = await derive("argon2id", { ...cost, message: "old password", nonce: salt, tagLength: 32 });
  const [one, two] = [salt, tag].map((bytes) => bytes.toString("base64").replaceAll("=", ""));
  expect(await passwords.verify("old password", `$argon2id$v=19$m=4096,t=3,p=2$${one}$${two}`)).toBe(true);
  expect(asked.at(-1)).toMatchObject({ ...cost, nonce: salt });
});

test.each([
  "",
  "a password",
  "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  "$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$",
  "$argon2id$v=19$m=19456,t=2,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
  "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\n",
])("what is stored and no argon2id is a defect, not a password: %j", async (stored) => {
  const { passwords, asked } = makePasswords();
  expect(await faultOf(() => passwords.verify(stored, stored))).toBe("internal: a stored password is none of argon2id");
  expect(asked).toEqual([]);
});

describe("at once", () => {
  test("two are computed, twenty wait their turn, and who comes then is told when to try again", async () => {
    const { passwords, asked, hold } = makePasswords();
    const release = hold();
    const done: number[] = [];
    const all = Array.from({ length: room }, (_, n) => passwords.verify("x", undefined).then(() => done.push(n)));
    const late = passwords.hash("x");
    await expect(late).rejects.toMatchObject({ code: "limited", details: { retryAfterSeconds: 3 } });
    expect(asked).toHaveLength(2);
    release();
    await Promise.all(all);
    expect(done).toEqual(Array.from({ length: room }, (_, n) => n));
    expect(asked).toHaveLength(room);
  });

  test("never more than two, whatever fails and whenever they come", async () => {
    const arrivals = fc.array(fc.record({ pause: fc.nat(4), fails: fc.boolean(), work: fc.nat(5) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(arrivals, async (all) => {
        let running = 0;
        let most = 0;
        const passwords = openPasswords(async (_algorithm, { message }) => {
          most = Math.max(most, ++running);
          const [work, fails] = JSON.parse(String(message)) as [number, boolean];
          for (let n = 0; n < work; n++) await Promise.resolve();
          running--;
          if (fails) throw new Error("out of memory");
          return Buffer.alloc(32);
        });
        const outcomes: Promise<string>[] = [];
        for (const { pause, fails, work } of all) {
          for (let n = 0; n < pause; n++) await Promise.resolve();
          const outcome = passwords.hash(JSON.stringify([work, fails])).then(
            () => "done",
            (thrown: Error) => thrown.message,
          );
          outcomes.push(outcome.then((text) => `${fails} ${text}`));
        }
        for (const text of await Promise.all(outcomes))
          expect(text).toMatch(/^(false done|true out of memory|.* too many people are signing in)$/);
        expect(most).toBeLessThanOrEqual(2);
        expect(running).toBe(0);
        // What failed has given its turn back.
        await Promise.all(Array.from({ length: room }, () => passwords.hash("[0,false]")));
      }),
      { numRuns: 50 },
    );
  });
});
