import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hasOpenssl, makeCertificate } from "../../packages/fed/src/port/certificate.scene.ts";
import { ask, freePort } from "../../packages/fed/src/port/ingress.scene.ts";
import { askOver, askSecurely, openHttp2 } from "../../packages/fed/src/port/ingress-tls.suite.ts";
import { makeStage, statusOf, until, up } from "./stage.ts";

/** Host names with certificates that the lab gives: the real program, its files, its listener. */

const why = hasOpenssl ? "" : " [skipped: needs openssl]";
const name = "web.localhost";

test.skipIf(!hasOpenssl)(
  `a route is served before its certificate is there, then over TLS and HTTP/2, its renewed certificate too, and the lab moves it to another port${why}`,
  async () => {
    const stage = await makeStage();
    const folder = dirname(stage.lab);
    const give = async ({ certificate, key }: ReturnType<typeof makeCertificate>) => {
      await writeFile(join(folder, "privkey.pem"), key, { mode: 0o600 });
      await writeFile(join(folder, "fullchain.pem"), certificate);
    };
    const first = makeCertificate(name);
    const lab = (extra: string) => `import { builtin, defineLab, http, process, server } from "@fed/lab";
export default defineLab({
  name: "secure",
  machines: {
    hub: server({
      address: "local",
      ingress: builtin({
        tls: "given",
        certificates: [{ certificate: "./fullchain.pem", key: "./privkey.pem" }],
        ${extra}
      }),
    }),
  },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: process(["node", "-e", "require('http').createServer((q, s) => s.end(q.headers['x-forwarded-proto'])).listen(process.env.PORT)"]),
      health: http("/", { every: "200ms" }),
      route: "${name}",
    },
  },
});
`;
    await writeFile(stage.lab, lab(""));
    await up(stage);
    const urlOf = async () => new URL((await statusOf(stage)).services[0]?.url ?? "http://none.localhost");
    // Without its files the service is there all the same.
    const why = `${name} is served without TLS: the file ./fullchain.pem, which the lab names, is not there`;
    expect((await statusOf(stage)).services[0]).toMatchObject({ state: "healthy", certificate: why });
    const before = await urlOf();
    expect(before).toMatchObject({ protocol: "http:", hostname: name });
    expect((await ask({ host: "127.0.0.1", port: Number(before.port) }, name)).body).toBe("http");
    await give(first);
    const secured = async () => ((await urlOf()).protocol === "https:" ? true : undefined);
    await until("TLS", secured, 30_000);
    const url = await urlOf();
    expect((await statusOf(stage)).services[0]).not.toHaveProperty("certificate");
    const place = { host: "127.0.0.1", port: Number(url.port) };
    expect(await askSecurely(place, name, first.certificate)).toEqual({ status: 200, body: "https" });
    const ends: (() => unknown)[] = [];
    onTestFinished(() => {
      for (const end of ends) end();
    });
    const session = await openHttp2(
      { onEnd: (end) => void ends.push(end), end: async () => {} },
      place,
      name,
      first.certificate,
    );
    expect(await askOver(session, name)).toMatchObject({ status: 200, body: "https" });

    const second = makeCertificate(name);
    await give(second);
    const served = (port: number) => () =>
      askSecurely({ host: "127.0.0.1", port }, name, second.certificate).then(
        ({ body }) => (body === "https" ? true : undefined),
        () => undefined,
      );
    await until("the renewed certificate", served(place.port), 30_000);
    expect((await askOver(session, name)).body).toBe("https");

    const port = await freePort();
    await writeFile(stage.lab, lab(`httpsPort: ${port},`));
    await until("the other port", served(port), 30_000);
    expect(Number((await urlOf()).port)).toBe(port);
  },
  120_000,
);
