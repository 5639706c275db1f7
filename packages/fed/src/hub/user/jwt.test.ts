import { createHmac, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { accessSeconds, makeAccessTokens } from "./jwt.ts";

const key = new Uint8Array(randomBytes(32));
const claims = { userId: "usr_1", sessionId: "ses_1" };

function makeTokens() {
  const clock = handClock();
  return { clock, tokens: makeAccessTokens(key, clock) };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? "", "base64url").toString());

/** A token like ours in all but what is said. */
function forge(
  nowMs: number,
  wish: {
    readonly payload?: Readonly<Record<string, unknown>>;
    readonly alg?: string;
    readonly key?: Parameters<SignJWT["sign"]>[0];
  } = {},
): Promise<string> {
  const iat = Math.floor(nowMs / 1_000);
  const payload = {
    ...{ sub: claims.userId, sid: claims.sessionId, iss: "fed", aud: "fed-api", iat, exp: iat + 60 },
    ...wish.payload,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: wish.alg ?? "HS256", typ: "JWT" }).sign(wish.key ?? key);
}

test("a token says who and which session, for ten minutes, and nothing else", async () => {
  const { tokens, clock } = makeTokens();
  const token = await tokens.sign(claims);
  expect(await tokens.verify(token)).toEqual(claims);
  const [head, body] = token.split(".").map((part, n) => (n < 2 ? decode(part) : {}));
  const iat = clock.nowMs() / 1_000;
  expect(head).toEqual({ alg: "HS256", typ: "JWT" });
  expect(body).toEqual({ sub: "usr_1", sid: "ses_1", iss: "fed", aud: "fed-api", iat, exp: iat + accessSeconds });
  await clock.turn(accessSeconds * 1_000 - 1);
  expect(await tokens.verify(token)).toEqual(claims);
  await clock.turn(1);
  expect(await tokens.verify(token)).toBeUndefined();
});

test("what is forged here is a good token, so that each refusal below has one reason", async () => {
  const { tokens, clock } = makeTokens();
  expect(await tokens.verify(await forge(clock.nowMs()))).toEqual(claims);
});

describe("is refused", () => {
  test("a token that was signed by a clock minutes ahead; one that is ahead by seconds is not", async () => {
    const { tokens, clock } = makeTokens();
    const { nowMs } = clock;
    const signedAhead = (byMs: number) => {
      clock.nowMs = () => nowMs() + byMs;
      const token = tokens.sign(claims);
      clock.nowMs = nowMs;
      return token;
    };
    expect(await tokens.verify(await signedAhead(10_000))).toEqual(claims);
    expect(await tokens.verify(await signedAhead(301_000))).toBeUndefined();
  });

  test.each(["none", "None", "NONE", "nOnE", ""])(
    "a token whose algorithm is %j, with a signature or without",
    async (alg) => {
      const { tokens, clock } = makeTokens();
      const [, body, signature] = (await forge(clock.nowMs())).split(".");
      for (const last of ["", signature, "AA"])
        expect(await tokens.verify(`${encode({ alg, typ: "JWT" })}.${body}.${last}`)).toBeUndefined();
      expect(await tokens.verify(`${encode({ alg })}.${body}`)).toBeUndefined();
    },
  );

  test.each(["HS384", "HS512"])("the right key with the algorithm %s", async (alg) => {
    const long = new Uint8Array(64).fill(1);
    const clock = handClock();
    const token = await forge(clock.nowMs(), { alg, key: long });
    expect(await makeAccessTokens(long, clock).verify(token)).toBeUndefined();
    expect(await makeAccessTokens(long, clock).verify(await forge(clock.nowMs(), { key: long }))).toEqual(claims);
  });

  test("a token of a public key, and one signed with that public key as if it were a secret", async () => {
    const { tokens, clock } = makeTokens();
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = createPublicKey(pair.privateKey).export({ type: "spki", format: "pem" });
    expect(await tokens.verify(await forge(clock.nowMs(), { alg: "RS256", key: pair.privateKey }))).toBeUndefined();
    expect(await tokens.verify(await forge(clock.nowMs(), { alg: "PS256", key: pair.privateKey }))).toBeUndefined();
    expect(await tokens.verify(await forge(clock.nowMs(), { key: Buffer.from(pem) }))).toBeUndefined();
    const named = await new SignJWT({ sub: "usr_1", sid: "ses_1", iss: "fed", aud: "fed-api", exp: 9e9 })
      .setProtectedHeader({ alg: "RS256", jwk: pair.publicKey.export({ format: "jwk" }), kid: "../../dev/null" })
      .sign(pair.privateKey);
    expect(await tokens.verify(named)).toBeUndefined();
  });

  test("another key, also one that is ours but for a bit, or is empty", async () => {
    const { tokens, clock } = makeTokens();
    for (const bit of [0, 100, 255]) {
      const other = key.map((byte, n) => (n === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(await tokens.verify(await forge(clock.nowMs(), { key: other }))).toBeUndefined();
    }
    expect(await tokens.verify(await forge(clock.nowMs(), { key: new Uint8Array(32) }))).toBeUndefined();
  });

  test.each<[what: string, payload: Readonly<Record<string, unknown>>]>([
    ["another issuer", { iss: "other" }],
    ["no issuer", { iss: undefined }],
    ["another audience", { aud: "other" }],
    ["no audience", { aud: undefined }],
    ["no user", { sub: undefined }],
    ["a user that is no text", { sub: 1 }],
    ["no session", { sid: undefined }],
    ["a session that is no text", { sid: { $ne: "" } }],
    ["no end", { exp: undefined }],
    ["an end that is no number", { exp: "9999999999" }],
    ["an end that has come", { exp: 1_700_000_000 }],
    ["an end long ago", { exp: 0 }],
    ["a beginning that has not come", { nbf: 1_700_000_060 }],
  ])("%s", async (_what, payload) => {
    const { tokens, clock } = makeTokens();
    // `SignJWT` itself refuses some of these, so the signature is made over the parts.
    const token = await forge(clock.nowMs());
    const body = { ...decode(token.split(".")[1]), ...payload };
    const signed = signParts(encode({ alg: "HS256" }), encode(body));
    expect(await tokens.verify(signed)).toBeUndefined();
  });

  test("what asks to be understood in a way we do not know", async () => {
    const { tokens, clock } = makeTokens();
    const body = (await forge(clock.nowMs())).split(".")[1] ?? "";
    for (const head of [
      { alg: "HS256", crit: ["x"], x: 1 },
      { alg: "HS256", b64: false, crit: ["b64"] },
      { alg: "HS256", crit: [] },
    ])
      expect(await tokens.verify(signParts(encode(head), body))).toBeUndefined();
    expect(await tokens.verify(signParts(encode({ alg: "HS256" }), body))).toEqual(claims);
  });

  test("a token in which any letter was changed", async () => {
    const { tokens } = makeTokens();
    const token = await tokens.sign(claims);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    // The last letter of 43 carries two bits that mean nothing, so it is left alone.
    const place = fc.integer({ min: 0, max: token.length - 2 });
    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom(...letters), async (at, letter) => {
        fc.pre(token[at] !== letter);
        expect(await tokens.verify(token.slice(0, at) + letter + token.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test("what is no token at all", async () => {
    const { tokens } = makeTokens();
    const token = await tokens.sign(claims);
    const odd = ["", ".", "..", "...", "a.b.c", "é.é.é", "\0", `${token}.`, `.${token}`, ` ${token}`];
    for (const text of odd) expect(await tokens.verify(text), JSON.stringify(text)).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        expect(await tokens.verify(text)).toBeUndefined();
      }),
    );
  });

  test("what is huge", async () => {
    const { tokens } = makeTokens();
    const token = await tokens.sign(claims);
    const [head, , signature] = token.split(".");
    const large = "A".repeat(8_000_000);
    for (const text of [large, `${large}.${large}.${large}`, `${head}.${large}.${signature}`, ".".repeat(1_000_000)])
      expect(await tokens.verify(text)).toBeUndefined();
  });
});

function signParts(head: string, body: string): string {
  return `${head}.${body}.${createHmac("sha256", key).update(`${head}.${body}`).digest("base64url")}`;
}
