import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { makeSender } from "./forward-send.ts";

/** A sender to somebody who says again whatever was shown. */
async function openEcho() {
  const shown: (string | undefined)[] = [];
  const server = createServer(({ headers: { authorization } }, response) => {
    shown.push(authorization);
    const password = Buffer.from(authorization?.split(" ")[1] ?? "", "base64");
    response.writeHead(401).end(`\x1b[31m${authorization}, that is ${password}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const sender = makeSender(`http://127.0.0.1:${port}/`, { clock: systemClock, version: "1" });
  const send = (authorization: string) => sender.send(new Uint8Array(1), authorization, new AbortController().signal);
  return { shown, send };
}

test("what a target is shown is in no reason, whatever the target says", async () => {
  const { send } = await openEcho();
  const basic = Buffer.from("ada:geheim").toString("base64");
  expect(await send(`Basic ${basic}`)).toEqual({
    kind: "closed",
    reason: "it answers 401: [31mBasic …, that is ada:…",
  });
  const verdict = await send("Bearer geheim");
  expect(verdict).toMatchObject({ kind: "closed", reason: expect.stringContaining("Bearer …") });
  expect(JSON.stringify(verdict)).not.toContain("geheim");
});

test.each(["Bearer ge\nheim", "Bearer geh€im", "Bearer geheim\u0000"])(
  "%j is not sent, and not told",
  async (header) => {
    const { send, shown } = await openEcho();
    const verdict = await send(header);
    expect(verdict).toMatchObject({ kind: "closed", reason: expect.stringContaining("Set the secret again") });
    expect(JSON.stringify(verdict)).not.toContain("heim");
    expect(shown).toEqual([]);
  },
);
