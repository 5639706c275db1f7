import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { WireMachine } from "../../packages/fed/src/wire/machine.ts";
import { freePort } from "./metric-peer.ts";
import { linesOf, makeHome } from "./person.ts";
import { until } from "./stage.ts";

/** Exporters come, fail, recover and go by edits of the lab, while the hub runs. */

/** Tells this text to who shows the token. */
async function openExporter(port: number, text: string) {
  const server: Server = createServer(({ headers }, response) => {
    if (headers.authorization !== "Bearer open sesame") return response.writeHead(401).end();
    return response.writeHead(200, { "content-type": "text/plain" }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  return { stop };
}

test("an exporter of the lab is scraped from its next edit on, makes its machine degraded once while it fails, and ends with it", async () => {
  const { stage, hub, owner } = await makeHome();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/metrics`;
  const ask = async (query: string) => {
    const { out } = await owner.fed("query", query, "--json");
    return JSON.parse(out === "" ? "{}" : out) as unknown;
  };
  const asked = async (query: string) => JSON.stringify(await ask(query));
  const here = async (): Promise<WireMachine> => {
    const [one] = JSON.parse((await owner.fed("machines", "--json")).out) as [WireMachine];
    return one;
  };
  /** What is wrong with its exporter; other parts of this machine may have troubles of their own. */
  const trouble = async () => (await here()).problems.find(({ collector }) => collector === "exporter own")?.reason;
  const changes = async () =>
    linesOf<{ type: string; subject: string; data: { to?: string; reason?: string } }>(
      (await owner.fed("events", "--json")).out,
    ).filter(({ type, subject }) => type === "machine.changed" && subject === "machine:here");
  const inLab = (exporters: string) =>
    stage.edit((text) =>
      text
        .replace('server({ address: "local" })', `server({ address: "local", every: "1s"${exporters} })`)
        .replace("services: {", "secrets: { TOKEN: {} },\n  services: {"),
    );
  await until("the machine", async () => ((await here()).seenMs === undefined ? undefined : true));

  await inLab(`, exporters: { own: { url: "${url}", every: "1s", auth: { token: { secret: "TOKEN" } } } }`);
  expect(await until("word of the missing secret", trouble)).toContain("secret TOKEN has no value");
  expect((await here()).state).toBe("degraded");

  await mkdir(join(stage.data, "secrets"), { recursive: true });
  await writeFile(join(stage.data, "secrets", "TOKEN"), "open sesame\n", { mode: 0o600 });
  const exporter = await openExporter(
    port,
    '# HELP weight Of the <b>cat</b>.\nweight{machine="elsewhere",cat="\\"<i>\\""} 4.2\n',
  );
  const isWell = async () => ((await trouble()) === undefined ? true : undefined);
  await until("the exporter to be well", isWell);
  const found = await until("the sample", async () => {
    const text = await asked("weight");
    return text.includes("4.2") ? text : undefined;
  });
  const words = ['"machine":"here"', '"job":"own"', `"instance":"127.0.0.1:${port}"`, '"exported_machine":"elsewhere"'];
  for (const word of words) expect(found).toContain(word);
  /** What worked again is watched for three ticks. */
  const isCalm = async () => {
    const { problems, state } = await here();
    return problems.length > 0 || state === "online" ? true : undefined;
  };
  await until("the machine to be well by all else", isCalm);
  const before = (await changes()).length;

  await exporter.stop();
  expect(await until("word of the failure", trouble)).toContain("connection refused");
  expect(await asked('up{job="own"}')).toContain('"0"');
  expect(await asked("weight")).not.toContain("4.2");
  const others = (await here()).problems.length - 1;
  await openExporter(port, "weight 5\n");
  await until("the exporter to be well again", isWell);
  await until("the machine to be well again", isCalm);
  const told = (await changes()).slice(before);
  expect(told.map(({ data }) => data.to)).toEqual(others > 0 ? [] : ["degraded", "online"]);

  const targets = async () => {
    const token = JSON.parse(
      (await owner.fed("token", "create", `t${Math.random()}`, "--role", "viewer", "--json")).out,
    );
    const answer = await fetch(`${hub.url}/api/v1/targets`, { headers: { authorization: `Bearer ${token.secret}` } });
    return JSON.stringify(await answer.json());
  };
  expect(await targets()).toContain(`"scrapeUrl":"${url}"`);
  expect(await targets()).not.toContain("sesame");
  await inLab("");
  await until("the end of the exporter", async () => ((await targets()).includes(url) ? undefined : true));
  await until("the end of its series", async () => ((await asked("weight")).includes('"5"') ? undefined : true));
}, 120_000);
