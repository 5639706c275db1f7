/**
 * A release of two replicas of busybox' httpd, by `fed deploy` and by `docker service update --update-order start-first`: the same image,
 * the same health check, the same private dockerd, in turn, medians compared. What counts is the time from the command until the last
 * of the old replicas has nothing to do any more: for fed until its open requests have ended after the switch (it stands by for a
 * while then), for Swarm until it has stopped. Takes a minute. `node bench/release.ts`.
 */

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { type Engine, startEngine, withoutEngine } from "../packages/fed/src/port/engine.scene.ts";
import { makeReport, once, startHub } from "./running.ts";

const rounds = 5;
const atMost = 0.5;
const image = "localhost/fed-bench";
/** Ends at once when it is asked to, which busybox alone does not as the first process of a container. */
const script = [
  "mkdir -p /www",
  "echo hello > /www/index.html",
  "trap 'kill $!; exit' TERM",
  "httpd -f -p 8080 -h /www & wait $!",
].join("; ");
const health = "wget -q -O /dev/null http://127.0.0.1:8080/";
const fed = join(import.meta.dirname, "../fed");

const labText = ({ socket }: Engine) => `import { command, defineLab, docker, image, server } from "@fed/lab";
export default defineLab({
  name: "bench",
  machines: { hub: server({ address: "local", engine: docker({ socket: "${socket}" }) }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: image("${image}:newest"),
      port: 8080,
      replicas: 2,
      route: "web.localhost",
      health: command("${health}", { every: "1s" }),
      // It says how long the old ones stand by, not when they have nothing to do any more.
      settle: "1s",
    },
  },
});
`;

interface Line {
  readonly text: string;
  /** Since the command began. */
  readonly atMs: number;
}

/** Runs a command to its end; what it says, as it says it. */
async function run(words: readonly string[]): Promise<readonly Line[]> {
  const beganMs = performance.now();
  const [command = "", ...rest] = words;
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  const stop = once(async () => void child.kill());
  const lines: Line[] = [];
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let kept = "";
  child.stdout.setEncoding("utf8").on("data", (said: string) => {
    const parts = (kept + said).split("\n");
    kept = parts.pop() ?? "";
    const atMs = performance.now() - beganMs;
    for (const text of parts) lines.push({ text, atMs });
  });
  const code = await ended;
  await stop();
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${lines.map(({ text }) => text).join("\n")}`);
  return lines;
}

/** By fed: until both of the old ones are drained. */
async function releaseByFed(lab: string): Promise<number> {
  const data = join(dirname(lab), "data");
  const lines = await run([fed, "deploy", "dev/web", "--wait", "--data", data]);
  const drained = lines.filter(({ text }) => /✓ drain/.test(text)).slice(0, 2);
  const last = drained.at(-1);
  if (last === undefined || drained.length < 2) throw new Error(`nothing was drained: ${JSON.stringify(lines)}`);
  return last.atMs;
}

/** By Swarm: until both of the old ones have stopped, and until the command has seen enough. */
async function releaseBySwarm(
  engine: Engine,
  round: number,
): Promise<{ readonly goneMs: number; readonly wholeMs: number }> {
  const beganMs = Date.now();
  const socket = `unix://${engine.socket}`;
  const words = ["service", "update", "--detach=false", "--update-order", "start-first", "--no-resolve-image"];
  await run(["docker", "-H", socket, ...words, "--image", `${image}:${round}`, "peer"]);
  const wholeMs = Date.now() - beganMs;
  const between = ["--since", (beganMs / 1_000).toFixed(3), "--until", (Date.now() / 1_000).toFixed(3)];
  const only = ["--filter", "event=die", "--filter", "label=com.docker.swarm.service.name=peer"];
  const told = engine
    .run("events", ...between, ...only, "--format", "{{.TimeNano}}")
    .split("\n")
    .filter(Boolean);
  if (told.length !== 2) throw new Error(`Swarm ended ${told.length} old replicas, not 2`);
  return { goneMs: Math.max(...told.map((nanoseconds) => Number(nanoseconds) / 1e6)) - beganMs, wholeMs };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const without = withoutEngine("docker");
if (without !== "") throw new Error(`release${without}`);
const engine = await startEngine("docker");
const closeEngine = once(() => engine.close());
try {
  // Each round has an image of its own.
  for (let round = 0; round <= rounds; round++)
    engine.run("tag", engine.image(["sh", "-c", script], [`LABEL round=${round}`]), `${image}:${round}`);
  engine.run("tag", `${image}:0`, `${image}:newest`);
  engine.run("swarm", "init", "--advertise-addr", "127.0.0.1");
  const check = ["--health-cmd", health, "--health-interval", "1s", "--update-order", "start-first"];
  engine.run("service", "create", "--name", "peer", "--replicas", "2", ...check, "--no-resolve-image", `${image}:0`);
  const hub = await startHub({ lab: labText(engine) });
  try {
    const own: number[] = [];
    const peer: { readonly goneMs: number; readonly wholeMs: number }[] = [];
    for (let round = 1; round <= rounds; round++) {
      engine.run("tag", `${image}:${round}`, `${image}:newest`);
      own.push(await releaseByFed(hub.lab));
      peer.push(await releaseBySwarm(engine, round));
    }
    const report = makeReport();
    const gone = median(peer.map(({ goneMs }) => goneMs));
    const whole = median(peer.map(({ wholeMs }) => wholeMs));
    report.atMost("release of two replicas", median(own), "Swarm, start-first", gone, atMost, "ms");
    report.peer("the same", median(own), "Swarm, until its command ends", whole, "ms");
    report.end();
  } finally {
    await hub.stop();
  }
} finally {
  await closeEngine();
}
