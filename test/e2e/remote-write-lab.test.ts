import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { uncompress } from "snappyjs";
import { expect, onTestFinished, test } from "vitest";
import { readWriteRequest } from "../../packages/fed/src/engine/exposition/remote-write.ts";
import { labelValue } from "../../packages/fed/src/engine/series/labels.ts";
import type { RemoteWriteTarget } from "../../packages/fed/src/wire/remote-write.ts";
import { freePort } from "./metric-peer.ts";
import { dataOf, linesOf, makeHome } from "./person.ts";
import { until } from "./stage.ts";

/** Targets of remote write come, fail, recover and go by edits of the lab, while the hub runs. */

const secret = "open sesame";

/** Takes remote write from who shows the token; keeps the values by their series' name. */
async function openReceiver(port: number) {
  const came = new Map<string, number[]>();
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (request.headers.authorization !== `Bearer ${secret}`) return response.writeHead(401).end("no");
    readWriteRequest(uncompress(new Uint8Array(Buffer.concat(parts))), {
      series(_key, read, _times, values) {
        const labels = read();
        const name = `${labelValue(labels, "__name__")}@${labelValue(labels, "hub")}`;
        came.set(name, [...(came.get(name) ?? []), ...values]);
      },
    });
    return response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  return { came, stop };
}

test("a target of the lab is sent to from its next edit on, waits for a secret and for a target that is away, and goes", async () => {
  const { stage, hub, owner } = await makeHome();
  const port = await freePort();
  const token = dataOf<{ secret: string }>(await owner.fed("token", "create", "t", "--role", "operator", "--json"));
  const write = async (text: string) => {
    const headers = { authorization: `Bearer ${token.secret}`, "content-type": "text/plain" };
    const answer = await fetch(`${hub.url}/api/v1/import/text`, { method: "POST", body: text, headers });
    expect(answer.status).toBe(204);
  };
  const targets = async () =>
    dataOf<readonly RemoteWriteTarget[]>(await owner.fed("metrics", "remote-write", "--json"));
  const inLab = (metrics: string) =>
    stage.edit((text) => text.replace("services: {", `secrets: { FAR: {} }, ${metrics}\n  services: {`));
  expect(await targets()).toEqual([]);
  await write("before 1\n");

  let far = await openReceiver(port);
  const url = `http://127.0.0.1:${port}/api/v1/write`;
  const only = `only: ['{__name__=~"after.*|before"}'], labels: { hub: "ocean" }`;
  await inLab(`metrics: { remoteWrite: { far: { url: "${url}", auth: { token: { secret: "FAR" } }, ${only} } } },`);
  const queue = join(stage.data, "metrics", "queue");
  await until("the target", async () => ((await readdir(queue)).includes("far.json") ? true : undefined));
  await write("after 1\nother 1\n");
  const stuck = await until("the missing secret", async () => (await targets()).find(({ lastError }) => lastError));
  expect(stuck).toMatchObject({ name: "far", url, state: "failing", sentSamples: 0, lastError: { kind: "closed" } });
  expect(stuck.lastError?.reason).toContain("secret FAR has no value");

  await mkdir(join(stage.data, "secrets"), { recursive: true });
  await writeFile(join(stage.data, "secrets", "FAR"), `${secret}\n`, { mode: 0o600 });
  await until("the first sample", async () => (far.came.has("after@ocean") ? true : undefined));
  expect(far.came).toEqual(new Map([["after@ocean", [1]]]));

  await far.stop();
  await write("after_b 2\n");
  const ofTypes = async () =>
    linesOf<{ type: string; subject: string }>((await owner.fed("events", "--json")).out)
      .filter(({ subject }) => subject === "remoteWrite:far")
      .map(({ type }) => type);
  await until("word of the failure", async () =>
    (await ofTypes()).at(-1) === "remoteWrite.failed" ? true : undefined,
  );
  expect((await owner.fed("metrics", "remote-write")).code).toBe(3);
  far = await openReceiver(port);
  await until("what waited", async () => (far.came.has("after_b@ocean") ? true : undefined));
  await until("word of the end", async () => ((await ofTypes()).at(-1) === "remoteWrite.recovered" ? true : undefined));
  const metrics = await fetch(`${hub.url}/metrics`, { headers: { authorization: `Bearer ${token.secret}` } });
  expect(await metrics.text()).toMatch(/^fed_remote_write_samples_total\{target="far"\} 2$/m);

  await inLab("");
  await until("the end of the target", async () => ((await readdir(queue)).length === 0 ? true : undefined));
  expect(await targets()).toEqual([]);
}, 60_000);
