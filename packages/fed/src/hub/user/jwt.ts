import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Clock } from "#base/clock.ts";
import { isAhead } from "./user.ts";

/** How long an access token is good. Short, because it is shown with every request. */
export const accessSeconds = 600;

const issuer = "fed";
const audience = "fed-api";
const algorithm = "HS256";

const claimsShape = z.object({ sub: z.string(), sid: z.string(), iat: z.number() });

/** Whom an access token names: the user, and the session it lives in. */
export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
}

export interface AccessTokens {
  sign(claims: AccessClaims): Promise<string>;
  /** Undefined for what is expired, or signed ahead of its time, signed by another key or another algorithm, or no token at all. */
  verify(token: string): Promise<AccessClaims | undefined>;
}

export function makeAccessTokens(key: Uint8Array, clock: Clock): AccessTokens {
  return {
    sign({ userId, sessionId }) {
      const nowSeconds = Math.floor(clock.nowMs() / 1_000);
      return new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: algorithm, typ: "JWT" })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + accessSeconds)
        .sign(key);
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          ...{ issuer, audience, algorithms: [algorithm], requiredClaims: ["exp", "sub"] },
          currentDate: new Date(clock.nowMs()),
        });
        const { sub, sid, iat } = claimsShape.parse(payload);
        return isAhead(iat * 1_000, clock.nowMs()) ? undefined : { userId: sub, sessionId: sid };
      } catch {
        return undefined;
      }
    },
  };
}
