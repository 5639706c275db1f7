import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:https";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";
import { tempFolder } from "#disk/fixture.ts";
import { exporterSuite } from "#port/exporter.suite.ts";
import { openExporterDoor } from "./http.ts";

exporterSuite("http", (clock) => openExporterDoor({ clock, version: "0.1.0" }));

const hasOpenssl = process.env.CI !== undefined || spawnSync("openssl", ["version"]).status === 0;

test.skipIf(!hasOpenssl)("says what is wrong with a certificate (needs openssl)", async () => {
  const folder = tempFolder();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"].concat(
      ...["-subj", "/CN=localhost", "-keyout", key, "-out", cert],
    ),
    { stdio: "ignore" },
  );
  const server = createServer(
    { key: await readFileIfThere(key), cert: await readFileIfThere(cert) },
    (_request, response) => response.end("up 1\n"),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const door = openExporterDoor({ clock: systemClock, version: "0.1.0" });
  onTestFinished(() => door.close());
  const asked = { timeoutMs: 5_000, bytes: 1_000 };
  const { signal } = new AbortController();
  expect(await door.fetch({ url: `https://127.0.0.1:${port}/`, ...asked }, signal)).toEqual({
    ...{ kind: "failed", reason: "its certificate is one that it made itself" },
  });
  expect(await door.fetch({ url: `http://127.0.0.1:${port}/`, ...asked }, signal)).toMatchObject({ kind: "failed" });
});
