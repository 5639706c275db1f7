import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { hasOpenssl, makeCertificate } from "#port/certificate.scene.ts";
import { ask, makeStage, never, type Stage, startInstance, startNamed } from "#port/ingress.scene.ts";
import type { IngressRoute, RouteTarget, RouteTls } from "#port/ingress.ts";
import { askOver, askSecurely, openHttp2 } from "#port/ingress-tls.suite.ts";
import { findCaddys, type RunningCaddy, startCaddy } from "./caddy.scene.ts";

const caddys = findCaddys();
let stage: Stage;
beforeEach(() => {
  stage = makeStage();
});
afterEach(() => stage.end());

if (caddys.length === 0) {
  describe("without Caddy", () => {
    test.skip("TLS by Caddy: there is no caddy on this machine, and none could be fetched", () => {});
  });
}

const secure = (name: string, kind: RouteTls["kind"], ...targets: readonly RouteTarget[]): IngressRoute => ({
  match: { kind: "host", host: name, tls: { kind } },
  service: `dev/${name.split(".")[0]}`,
  targets,
});

/** The certificate of Caddy's own authority. */
async function authorityOf(caddy: RunningCaddy): Promise<string> {
  const { hostname: host, port } = new URL(caddy.admin);
  const answer = await ask({ host, port: Number(port) }, `${host}:${port}`, { path: "/pki/ca/local" });
  return JSON.parse(answer.body).root_certificate;
}

describe.each(caddys)("caddy $version", (binary) => {
  const start = async () => {
    const caddy = await startCaddy(binary);
    stage.onEnd(() => caddy.stop());
    return caddy;
  };

  test("an authority of Caddy's own, over HTTP/1.1 and HTTP/2, whose session outlives switches", async () => {
    const caddy = await start();
    const ingress = caddy.open();
    const name = "api.localhost";
    const api = await startInstance(stage, "api", ({ headers }, response) => {
      response.end(`${headers["x-forwarded-proto"]} ${headers.host}`);
    });
    await ingress.apply([secure(name, "internal", api)], never);
    const ca = await authorityOf(caddy);
    // Caddy makes the certificate once it has the configuration.
    const first = await vi.waitFor(() => askSecurely(caddy.secure, name, ca), { timeout: 20_000, interval: 100 });
    expect(first).toEqual({ status: 200, body: "https api.localhost" });
    const session = await openHttp2(stage, caddy.secure, name, ca);
    expect((await askOver(session, name)).body).toBe("https api.localhost");
    for (const id of ["one", "two", "three"]) {
      await ingress.apply([secure(name, "internal", await startNamed(stage, id))], never);
      expect((await askOver(session, name)).body).toBe(id);
    }
    expect((await ask(caddy.address, name)).body, "plain HTTP serves it, too").toBe("three");
    await ingress.apply([], never);
    await expect(askSecurely(caddy.secure, name, ca)).rejects.toThrow();
  });

  test.skipIf(!hasOpenssl)("a given certificate, and another one in its place", async () => {
    const caddy = await start();
    const name = "given.localhost";
    let given = [makeCertificate("other.localhost"), makeCertificate(name)];
    const ingress = caddy.open({ certificates: async () => given });
    const routes = [secure(name, "given", await startNamed(stage, "given"))];
    await ingress.apply(routes, never);
    expect((await askSecurely(caddy.secure, name, given[1]?.certificate ?? "")).body).toBe("given");
    const next = makeCertificate(name);
    given = [next];
    await ingress.apply(routes, never);
    expect((await askSecurely(caddy.secure, name, next.certificate)).body).toBe("given");
    given = [makeCertificate("other.localhost")];
    await expect(ingress.apply(routes, never)).rejects.toMatchObject({
      code: "missing",
      message: expect.stringContaining(name),
    });
    given = [{ certificate: "nonsense", key: "nonsense" }];
    await expect(ingress.apply(routes, never)).rejects.toMatchObject({ code: "invalid" });
    expect((await askSecurely(caddy.secure, name, next.certificate)).body).toBe("given");
  });
});
