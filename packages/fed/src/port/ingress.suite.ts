import { afterEach, beforeEach, describe } from "vitest";
import { type Given, makeStage, never, type Place } from "./ingress.scene.ts";
import type { Ingress } from "./ingress.ts";
import { connectionTests } from "./ingress-connection.suite.ts";
import { forwardTests } from "./ingress-forward.suite.ts";
import { switchTests } from "./ingress-switch.suite.ts";

/** An ingress to test: open, without routes. */
export interface IngressUnderTest {
  readonly ingress: Ingress;
  /** Where its own port listens, on loopback. */
  readonly address: Place;
  close(): Promise<void>;
}

/** The contract of the port `ingress`, over real sockets. `make` is called for each test. */
export function ingressSuite(name: string, make: () => Promise<IngressUnderTest>): void {
  describe(`ingress ${name}`, () => {
    const given = {} as { -readonly [Key in keyof Given]: Given[Key] };

    beforeEach(async () => {
      given.stage = makeStage();
      const made = await make();
      given.stage.onEnd(() => made.close());
      given.ingress = made.ingress;
      given.address = made.address;
      given.apply = (...routes) => made.ingress.apply(routes, never);
    });
    afterEach(() => given.stage.end());

    forwardTests(given);
    switchTests(given);
    connectionTests(given);
  });
}
