import { once } from "node:events";
import { createServer } from "node:http";
import { type ClientHttp2Session, connect as speak } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { openBuildSession } from "./buildkit-session.ts";

const never = new AbortController().signal;

/** An engine that asks over the session that it is given. */
async function startEngine() {
  const asked = Promise.withResolvers<ClientHttp2Session>();
  const server = createServer().listen(0, "127.0.0.1");
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    asked.resolve(speak("http://engine", { createConnection: () => socket }));
  });
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    session: asked.promise,
    dial: async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
  };
}

/** What is answered to who asks for a login to this registry: a message of gRPC. */
async function askLogin(session: ClientHttp2Session, registry: string): Promise<string> {
  const stream = session.request({ ":method": "POST", ":path": "/moby.filesync.v1.Auth/Credentials" });
  const host = Buffer.from(registry);
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, host.length + 2, 0x0a, host.length]), host]));
  return (await buffer(stream)).subarray(5).toString();
}

test("an engine hears who we are to the registries of the lab, and nothing of any other name", async () => {
  const engine = await startEngine();
  const logins = { "registry.test": { user: "ada", password: "s3cret" } };
  const session = await openBuildSession("docker", engine.dial, logins, never);
  onTestFinished(() => session.close());
  const asking = await engine.session;
  onTestFinished(() => asking.destroy());
  expect(await askLogin(asking, "registry.test")).toBe("\n\u0003ada\u0012\u0006s3cret");
  for (const other of ["other.test", "constructor", "__proto__", ""]) expect(await askLogin(asking, other)).toBe("");
});
