import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2";
import { request } from "node:https";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { connect as connectTls } from "node:tls";
import { describe, expect, test, vi } from "vitest";
import { hasOpenssl, type MadeCertificate, makeCertificate } from "./certificate.scene.ts";
import {
  ask,
  echoWebSocket,
  type Given,
  gate,
  host,
  never,
  type Place,
  type Stage,
  startInstance,
  startNamed,
} from "./ingress.scene.ts";
import type { IngressRoute, RouteTarget } from "./ingress.ts";
import { unless } from "./ingress-shortcoming.scene.ts";

/** How the ingress under test takes TLS. */
export interface SecureUnderTest {
  /** Where, on loopback; once a route with TLS is applied. */
  address(): Place;
  /** From the next switch on these are its given certificates. */
  give(certificates: readonly MadeCertificate[]): void;
}

const name = "api.localhost";

/** A route by host name that is served with a given certificate. */
function secure(hostName: string, ...targets: readonly RouteTarget[]): IngressRoute {
  return {
    ...host(hostName, ...targets),
    match: { kind: "host", host: hostName, tls: { kind: "given" } },
  };
}

/** An open HTTP/2 connection to this name, whose certificate must be `ca`. */
export async function openHttp2(stage: Stage, place: Place, servername: string, ca: string) {
  const session = connect(`https://${place.host}:${place.port}`, { servername, ca });
  stage.onEnd(() => session.destroy());
  session.on("error", () => {});
  await once(session, "connect");
  return session;
}

/** One request over HTTP/2, its answer read to the end. */
export async function askOver(session: ClientHttp2Session, authority: string, headers: OutgoingHttpHeaders = {}) {
  const stream = session.request({ ":path": "/", ":authority": authority, ...headers });
  const [head] = await once(stream, "response");
  return { head, status: Number(head[":status"]), body: await text(stream) };
}

/** One request over HTTP/1.1 and TLS. */
export async function askSecurely(place: Place, servername: string, ca: string) {
  const outgoing = request({ ...place, servername, ca, headers: { host: servername }, agent: false });
  outgoing.end();
  const [answer] = await once(outgoing, "response");
  return { status: answer.statusCode, body: await text(answer) };
}

/** What an ingress that takes given certificates does over TLS. */
export function tlsTests(given: Given & { readonly secure: SecureUnderTest }): void {
  if (!hasOpenssl) {
    test.skip("TLS and HTTP/2: openssl is not there to make certificates");
    return;
  }
  describe("TLS and HTTP/2", () => {
    test("each name has its own certificate, over HTTP/1.1 and HTTP/2, and plain HTTP goes on", async () => {
      const { address, give } = given.secure;
      const [api, site] = [makeCertificate(name), makeCertificate("*.home.lan", "other.example")];
      give([api, site]);
      const seen = (id: string) =>
        startInstance(given.stage, id, ({ headers }, response) => {
          response.end(`${id} ${headers.host} ${headers["x-forwarded-proto"]}`);
        });
      await given.apply(secure(name, await seen("a")), secure("site.home.lan", await seen("b")));
      expect(await askSecurely(address(), name, api.certificate)).toEqual({ status: 200, body: `a ${name} https` });
      expect((await askSecurely(address(), "site.home.lan", site.certificate)).body).toBe("b site.home.lan https");
      await expect(askSecurely(address(), "site.home.lan", api.certificate)).rejects.toThrow(/self.signed|verify/i);
      const session = await openHttp2(given.stage, address(), name, api.certificate);
      expect(await askOver(session, name)).toMatchObject({ status: 200, body: `a ${name} https` });
      expect((await ask(given.address, name)).body).toBe(`a ${name} http`);
    });

    test("a name without a certificate gets no connection, and one without TLS is not served over it", async () => {
      const { address, give } = given.secure;
      const certificate = makeCertificate(name, "plain.localhost");
      give([certificate]);
      const a = await startNamed(given.stage, "a");
      await given.apply(secure(name, a), host("plain.localhost", a));
      await expect(askSecurely(address(), "ghost.localhost", certificate.certificate)).rejects.toThrow();
      const session = await openHttp2(given.stage, address(), name, certificate.certificate);
      expect((await askOver(session, "plain.localhost")).body).not.toBe("a");
      expect((await ask(given.address, "plain.localhost")).body).toBe("a");
    });

    test("a name that no certificate is for is missing, and nothing changes", async () => {
      const { give } = given.secure;
      give([makeCertificate("other.localhost")]);
      const a = await startNamed(given.stage, "a");
      await given.apply(host("old.localhost", a));
      await expect(given.apply(secure(name, a))).rejects.toMatchObject({
        code: "missing",
        message: expect.stringContaining(name),
      });
      expect((await ask(given.address, "old.localhost")).body).toBe("a");
      expect((await ask(given.address, name)).status).toBe(404);
    });

    const renewed = async () => {
      const { address, give } = given.secure;
      const [first, second] = [makeCertificate(name), makeCertificate(name)];
      give([first]);
      await given.apply(secure(name, await startNamed(given.stage, "a")));
      const session = await openHttp2(given.stage, address(), name, first.certificate);
      give([second]);
      await given.apply(secure(name, await startNamed(given.stage, "b")));
      return { session, second };
    };

    test("new certificates are there from the next switch on", async () => {
      const { second } = await renewed();
      expect((await askSecurely(given.secure.address(), name, second.certificate)).body).toBe("b");
    });

    unless(given, "connections over new names")("open connections go on when certificates change", async () => {
      const { session } = await renewed();
      expect((await askOver(session, name)).body).toBe("b");
    });

    test("over HTTP/2 status, headers, cookies and bodies go through as they are", async () => {
      const { address, give } = given.secure;
      const { certificate, key } = makeCertificate(name);
      give([{ certificate, key }]);
      const echo = await startInstance(given.stage, "a", (incoming, response) => {
        const { cookie = "", "x-mine": mine = "" } = incoming.headers;
        response.writeHead(418, ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "X-Mine", `${mine}`, "X-Cookie", cookie]);
        incoming.pipe(response);
      });
      await given.apply(secure(name, echo));
      const session = await openHttp2(given.stage, address(), name, certificate);
      const stream = session.request({
        ...{ ":method": "POST", ":path": "/a%20b?x=1", ":authority": name },
        ...{ "x-mine": "yes", cookie: ["c=3", "d=4"] },
      });
      const sent = randomBytes(8 * 1024 * 1024);
      const answered = once(stream, "response");
      const chunks = function* () {
        for (let at = 0; at < sent.length; at += 65_536) yield sent.subarray(at, at + 65_536);
      };
      const upload = pipeline(Readable.from(chunks()), stream, { end: true });
      const received = createHash("sha256");
      stream.on("data", (chunk) => received.update(chunk));
      const [head] = await answered;
      await Promise.all([upload, once(stream, "end")]);
      expect(head).toMatchObject({ ":status": 418, "x-mine": "yes", "x-cookie": "c=3; d=4" });
      expect(head["set-cookie"]).toEqual(["a=1", "b=2"]);
      expect(received.digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
      expect(await askOver(session, name, { ":method": "HEAD" })).toMatchObject({ status: 418, body: "" });
    });

    test("over HTTP/2 event streams are in flight, and a client that leaves one ends the instance's work", async () => {
      const { address, give } = given.secure;
      const { certificate, key } = makeCertificate(name);
      give([{ certificate, key }]);
      const left = gate();
      const events = await startInstance(given.stage, "a", (_, response) => {
        response.on("close", left.open).writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n");
      });
      await given.apply(secure(name, events));
      const session = await openHttp2(given.stage, address(), name, certificate);
      const stream = session.request({ ":path": "/", ":authority": name });
      expect(String((await once(stream, "data"))[0])).toBe("data: 1\n\n");
      expect((await given.ingress.status(never)).inFlight).toEqual({ a: 1 });
      stream.close(8);
      await left.passed;
      await given.apply();
      expect(await given.ingress.drain("a", 10_000, never)).toEqual({ kind: "drained" });
    });

    test("a WebSocket speaks through TLS", async () => {
      const { address, give } = given.secure;
      const { certificate, key } = makeCertificate(name);
      give([{ certificate, key }]);
      const instance = await startNamed(given.stage, "ws");
      echoWebSocket(instance.server);
      await given.apply(secure(name, instance));
      const client = connectTls({ ...address(), servername: name, ca: certificate, ALPNProtocols: ["http/1.1"] });
      given.stage.onEnd(() => client.destroy());
      let heard = "";
      client.on("data", (chunk) => {
        heard += chunk.toString("latin1");
      });
      // What is sent at once may come in pieces.
      const until = (text: string) => vi.waitFor(() => expect(heard).toContain(text));
      await once(client, "secureConnect");
      const lines = [`GET / HTTP/1.1`, `Host: ${name}`, "Connection: Upgrade", "Upgrade: websocket"];
      client.write(
        `${[...lines, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="].join("\r\n")}\r\n\r\n`,
      );
      await until(" 101 ");
      // A text of two letters, masked with zeros.
      client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
      await until("\u0081\u0002hi");
      expect((await given.ingress.status(never)).inFlight).toEqual({ ws: 1 });
    });
  });
}
