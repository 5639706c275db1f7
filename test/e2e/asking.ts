import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { ask } from "./stage.ts";

/**
 * Asks all the time until it is stopped, each time over a connection of its own or over one that is `kept`; tells how many answers came
 * and which were not a 200.
 */
export function loadOf(port: number, host: string, connection: "kept" | "fresh" = "kept") {
  const agent = connection === "kept" ? new Agent({ keepAlive: true }) : undefined;
  const bad: string[] = [];
  let count = 0;
  let stopped = false;
  const work = (async () => {
    while (!stopped) {
      count++;
      await ask(port, host, agent).then(
        ({ status, body }) => status === 200 || bad.push(`${host}: ${status} ${body.slice(0, 80)}`),
        (thrown) => bad.push(`${host}: ${thrown}`),
      );
      await pause(2);
    }
    agent?.destroy();
  })();
  return async () => {
    stopped = true;
    await work;
    return { count, bad };
  };
}
