import { afterEach, beforeEach, describe, expect } from "vitest";
import { type Given, makeStage, never, type Place, type Shortcoming } from "./ingress.scene.ts";
import type { Ingress } from "./ingress.ts";
import { connectionTests } from "./ingress-connection.suite.ts";
import { forwardTests } from "./ingress-forward.suite.ts";
import { switchTests } from "./ingress-switch.suite.ts";
import { type SecureUnderTest, tlsTests } from "./ingress-tls.suite.ts";

/** An ingress to test: open, without routes. */
export interface IngressUnderTest {
  readonly ingress: Ingress;
  /** Where its own port listens, on loopback. */
  readonly address: Place;
  readonly secure: SecureUnderTest;
  close(): Promise<void>;
}

/** The contract of the port `ingress`, over real sockets. `make` is called for each test; tests of what it is known not to do are not made. */
export function ingressSuite(
  name: string,
  make: () => Promise<IngressUnderTest>,
  shortcomings: readonly Shortcoming[] = [],
): void {
  describe(`ingress ${name}`, () => {
    const given = { shortcomings } as { -readonly [Key in keyof Given]: Given[Key] } & { secure: SecureUnderTest };

    beforeEach(async () => {
      given.stage = makeStage();
      const made = await make();
      given.stage.onEnd(() => made.close());
      given.ingress = made.ingress;
      given.address = made.address;
      given.secure = made.secure;
      expect(made.ingress.features.tcpDoors).toBe(!shortcomings.includes("tcp doors"));
      given.apply = (...routes) => made.ingress.apply(routes, never);
    });
    afterEach(() => given.stage.end());

    forwardTests(given);
    switchTests(given);
    connectionTests(given);
    tlsTests(given);
  });
}
