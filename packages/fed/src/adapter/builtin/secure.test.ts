import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import { makeTrace, silentTrace } from "#base/trace.ts";
import { hasOpenssl, makeCertificate } from "#port/certificate.scene.ts";
import { freePort, gate, makeStage, type Stage, startInstance, startNamed } from "#port/ingress.scene.ts";
import type { GivenCertificate, RouteTarget, RouteTls } from "#port/ingress.ts";
import { askOver, askSecurely, openHttp2 } from "#port/ingress-tls.suite.ts";
import { type BuiltinIngress, openBuiltinIngress } from "./ingress.ts";
import { limit } from "./limit.ts";

const never = new AbortController().signal;
const name = "api.localhost";
let stage: Stage;
let clock: HandClock;
let said: string[];
let port: number;
let certificates: () => Promise<readonly GivenCertificate[]>;

beforeEach(() => {
  stage = makeStage();
  clock = handClock();
  said = [];
  port = 0;
});
afterEach(() => stage.end());

async function open(): Promise<BuiltinIngress> {
  const trace = makeTrace(Date.now, "info", ({ message }) => void said.push(message));
  const secure = { port: () => port, certificates: () => certificates() };
  const ingress = await openBuiltinIngress({ host: "127.0.0.1", port: 0, secure, clock, trace });
  stage.onEnd(() => ingress.close({ deadlineMs: 0 }));
  return ingress;
}

const route = (kind: RouteTls["kind"], ...targets: readonly RouteTarget[]) =>
  [{ match: { kind: "host", host: name, tls: { kind } }, service: "dev/api", targets }] as const;

test("certificates that it would have to make are unsupported", async () => {
  certificates = async () => [];
  const ingress = await open();
  await expect(ingress.apply(route("acme"), never)).rejects.toMatchObject({ code: "unsupported" });
  const bare = await openBuiltinIngress({ host: "127.0.0.1", port: 0, clock: systemClock, trace: silentTrace });
  stage.onEnd(() => bare.close({ deadlineMs: 0 }));
  expect(bare.features).toMatchObject({ http2: false, tls: [] });
  await expect(bare.apply(route("given"), never)).rejects.toMatchObject({ code: "unsupported" });
});

if (!hasOpenssl) {
  describe("without openssl", () => {
    test.skip("TLS of fed's own ingress: openssl is not there to make certificates", () => {});
  });
}

describe.runIf(hasOpenssl)("certificates", () => {
  test("new files are served soon after, by connections made from then on", async () => {
    const [first, second] = [makeCertificate(name), makeCertificate(name)];
    certificates = async () => [first];
    const ingress = await open();
    await ingress.apply(route("given", await startNamed(stage, "a")), never);
    const place = ingress.secureAddress ?? ingress.address;
    expect((await askSecurely(place, name, first.certificate)).body).toBe("a");
    certificates = async () => [second];
    await clock.turn(limit.certificateLookMs);
    await vi.waitFor(() => expect(said).toEqual(["certificates read again"]));
    expect((await askSecurely(place, name, second.certificate)).body).toBe("a");
    expect(ingress.secureAddress).toEqual(place);
  });

  test("what cannot be served leaves those before, and is said once", async () => {
    const [made, other] = [makeCertificate(name), makeCertificate("other.localhost")];
    certificates = async () => [made];
    const ingress = await open();
    await ingress.apply(route("given", await startNamed(stage, "a")), never);
    const place = ingress.secureAddress ?? ingress.address;
    const bad = [
      [{ ...made, key: other.key }],
      [{ certificate: "", key: "" }],
      [{ certificate: "", key: "" }],
      [other],
    ];
    let looks = 0;
    certificates = async () => bad[looks++] ?? [made];
    for (let i = 1; i <= bad.length; i++) {
      // A look plans the next one once it is done.
      await vi.waitFor(async () => {
        if (looks < i) await clock.turn(limit.certificateLookMs);
        expect(looks).toBe(i);
      });
    }
    await vi.waitFor(() => expect(said).toEqual(Array(3).fill("certificates are kept as they were")));
    expect((await askSecurely(place, name, made.certificate)).body).toBe("a");
  });

  test("a key that is not the certificate's is invalid, and no key is told", async () => {
    const [made, other] = [makeCertificate(name), makeCertificate(name)];
    certificates = async () => [{ ...made, key: other.key }];
    const thrown = await (await open()).apply(route("given"), never).catch((error) => error);
    expect(thrown).toMatchObject({ code: "invalid", message: expect.stringContaining(name) });
    expect(thrown.cause).toBeUndefined();
  });

  test("another port in the lab moves the listener, and without routes it is closed", async () => {
    const made = makeCertificate(name);
    certificates = async () => [made];
    const ingress = await open();
    const routes = route("given", await startNamed(stage, "a"));
    await ingress.apply(routes, never);
    const before = ingress.secureAddress ?? ingress.address;
    port = await freePort();
    await clock.turn(limit.certificateLookMs);
    await vi.waitFor(() => expect(ingress.secureAddress?.port).toBe(port));
    expect((await askSecurely({ host: "127.0.0.1", port }, name, made.certificate)).body).toBe("a");
    await expect(askSecurely(before, name, made.certificate)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await ingress.apply([], never);
    expect(ingress.secureAddress).toBeUndefined();
    await expect(askSecurely({ host: "127.0.0.1", port }, name, made.certificate)).rejects.toThrow();
  });

  test("a taken door leaves no listener behind", async () => {
    const made = makeCertificate(name);
    certificates = async () => [made];
    const ingress = await open();
    port = await freePort();
    const taken = { kind: "door", port: ingress.address.port, protocol: "http" } as const;
    const wanted = [...route("given"), { match: taken, service: "dev/db", targets: [] }];
    await expect(ingress.apply(wanted, never)).rejects.toMatchObject({ code: "conflict" });
    expect(ingress.secureAddress).toBeUndefined();
    await expect(askSecurely({ host: "127.0.0.1", port }, name, made.certificate)).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });
});

/** A frame of HTTP/2 (RFC 9113 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]);
  return Buffer.concat([head, payload]);
}

describe.runIf(hasOpenssl)("HTTP/2", () => {
  const opened = async (answer: Parameters<typeof startInstance>[2]) => {
    const made = makeCertificate(name);
    certificates = async () => [made];
    const ingress = await open();
    await ingress.apply(route("given", await startInstance(stage, "a", answer)), never);
    const place = ingress.secureAddress ?? ingress.address;
    return { ingress, place, made, session: await openHttp2(stage, place, name, made.certificate) };
  };

  test("closing lets what is open end, and waits for no idle connection, nor for one without a handshake", async () => {
    const [arrived, finish] = [gate(), gate()];
    const { ingress, place, made, session } = await opened(async (_, response) => {
      response.write("first ");
      arrived.open();
      await finish.passed;
      response.end("last");
    });
    const idle = await openHttp2(stage, place, name, made.certificate);
    const silent = connect(place).on("error", () => {});
    stage.onEnd(() => silent.destroy());
    await once(silent, "connect");
    const busy = askOver(session, name);
    await arrived.passed;
    const ended = Promise.all([once(idle, "close"), once(silent, "close")]);
    const done = ingress.close({ deadlineMs: 60_000 });
    finish.open();
    expect((await busy).body).toBe("first last");
    await Promise.all([done, ended]);
  });

  test("an answer that breaks off does not look complete, trailers come through", async () => {
    const { session } = await opened((incoming, response) => {
      if (incoming.url === "/broken") {
        response.write("half");
        setImmediate(() => response.destroy());
        return;
      }
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("all");
      response.addTrailers({ "X-Sum": "42" });
      response.end();
    });
    const broken = session.request({ ":path": "/broken", ":authority": name });
    await expect(text(broken)).rejects.toMatchObject({ code: "ERR_HTTP2_STREAM_ERROR" });
    const stream = session.request({ ":path": "/", ":authority": name });
    const trailers = once(stream, "trailers");
    expect(await text(stream)).toBe("all");
    expect((await trailers)[0]).toMatchObject({ "x-sum": "42" });
  });

  test("what only HTTP/1.1 has and no instance should say in its trailers stays behind", async () => {
    const { session } = await opened((incoming, response) => {
      const odd = { "Keep-Alive": "timeout=5", "HTTP2-Settings": "x", TE: "gzip" };
      if (incoming.url === "/head") response.setHeader("HTTP2-Settings", "x");
      response.write("all");
      response.addTrailers({ ...odd, "X-Sum": "42" });
      response.end();
    });
    for (const path of ["/", "/head"]) {
      const stream = session.request({ ":path": path, ":authority": name });
      const trailers = once(stream, "trailers");
      expect(await text(stream)).toBe("all");
      expect(Object.keys((await trailers)[0])).toEqual(["x-sum"]);
    }
  });

  test("an answer before the upload's end is whole; what goes on coming is taken for a while and then no more", async () => {
    const { session } = await opened((_, response) => response.end("enough"));
    const stream = session.request({ ":method": "POST", ":path": "/", ":authority": name });
    const closed = once(stream, "close");
    stream.on("error", () => {}).write("the first of much");
    expect(await text(stream)).toBe("enough");
    await vi.waitFor(async () => {
      await clock.turn(limit.lingerMs);
      expect(stream.closed).toBe(true);
    });
    await closed;
    expect(stream.rstCode).toBe(0);
  });

  test.each(["is reset", "loses its connection"])("an upload that %s is no whole one at the instance", async (how) => {
    const [arrived, ended] = [gate(), gate()];
    let whole: boolean | undefined;
    const { place, made } = await opened((incoming, response) => {
      incoming.on("data", arrived.open).on("error", () => {});
      incoming.on("end", () => {
        whole = true;
      });
      response.on("close", ended.open);
    });
    // By hand: Node's own client ends a stream before it resets it.
    const client = connectTls({ ...place, servername: name, ca: made.certificate, ALPNProtocols: ["h2"] });
    stage.onEnd(() => client.on("error", () => {}).destroy());
    await once(client, "secureConnect");
    const [data, headers, reset, settings] = [0, 1, 3, 4];
    client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client.write(frame(settings, 0, 0, Buffer.alloc(0)));
    // POST, https, /, and the authority as a literal.
    const head = Buffer.from([0x83, 0x87, 0x84, 0x41, name.length, ...Buffer.from(name)]);
    client.write(Buffer.concat([frame(headers, 4, 1, head), frame(data, 0, 1, Buffer.from("half of it"))]));
    await arrived.passed;
    if (how === "is reset") client.write(frame(reset, 0, 1, Buffer.from([0, 0, 0, 8])));
    else client.destroy();
    await ended.passed;
    expect(whole).toBeUndefined();
  });

  test("HEAD has no body, also of a page; what a client waits for before its body is said, and nothing else", async () => {
    const { session } = await opened(async (incoming, response) => {
      response.end(incoming.method === "HEAD" ? undefined : `got ${await text(incoming)}`);
    });
    const ask = async (headers: Record<string, string>, body?: string) => {
      const stream = session.request(
        { ":path": "/", ":authority": name, ...headers },
        { endStream: body === undefined },
      );
      const continued = body === undefined ? undefined : once(stream, "continue").then(() => stream.end(body));
      const [answer] = await once(stream, "response");
      if (answer[":status"] === 200) await continued;
      else stream.end();
      return { status: answer[":status"], body: await text(stream) };
    };
    expect(await ask({ ":method": "HEAD" })).toEqual({ status: 200, body: "" });
    expect(await ask({ ":method": "HEAD", ":authority": "nobody.localhost" })).toEqual({ status: 404, body: "" });
    const waits = { ":method": "POST", expect: "100-continue" };
    expect(await ask(waits, "all of it")).toEqual({ status: 200, body: "got all of it" });
    expect(await ask({ ":method": "POST", expect: "the-moon" }, "nothing")).toEqual({ status: 417, body: "" });
  });

  test("the wrong protocol on the port for TLS ends that connection only", async () => {
    const { place, made, session } = await opened((_, response) => response.end("a"));
    const plain = connect(place).on("error", () => {});
    plain.end("GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n");
    await once(plain, "close");
    const strange = connectTls({ ...place, servername: name, ca: made.certificate, ALPNProtocols: ["smtp"] });
    await expect(once(strange, "secureConnect")).rejects.toThrow();
    expect((await askOver(session, name)).body).toBe("a");
  });
});
