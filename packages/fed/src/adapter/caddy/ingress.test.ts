import { describe, test } from "vitest";
import type { Shortcoming } from "#port/ingress.scene.ts";
import { ingressSuite } from "#port/ingress.suite.ts";
import type { GivenCertificate } from "#port/ingress.ts";
import { type CaddyBinary, findCaddys, startCaddy } from "./caddy.scene.ts";

const caddys = findCaddys();

if (caddys.length === 0) {
  describe("without Caddy", () => {
    test.skip("its ingress: there is no caddy on this machine, and none could be fetched", () => {});
  });
}

for (const binary of caddys) {
  const make = async () => {
    const caddy = await startCaddy(binary);
    let given: readonly GivenCertificate[] = [];
    return {
      ingress: caddy.open({ certificates: async () => given }),
      ...{ address: caddy.address, close: caddy.stop },
      secure: {
        address: () => caddy.secure,
        give: (certificates: readonly GivenCertificate[]) => {
          given = certificates;
        },
      },
    };
  };
  ingressSuite(`caddy ${binary.version}`, make, shortcomingsOf(binary));
}

/**
 * Debian 12 has 2.6. With `enable_full_duplex` later ones could do the first, too, but lose connections then (golang/go#68560). Names,
 * doors and certificates are in the configuration, and a change of that makes Caddy's servers anew.
 */
function shortcomingsOf({ version }: CaddyBinary): readonly Shortcoming[] {
  const all = ["tcp doors", "duplex", "connections over new names"] as const;
  const old = ["second try with a body", "broken chunks", "upgrades over new names"] as const;
  return /^2\.[0-6]\./.test(version) ? [...all, ...old] : all;
}
