/** Machines: the ways to them lead somewhere, and what is scraped there has time to answer. */

import type { Finding } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { identityOf, scrapeTimes } from "../resolve.ts";
import { findCycles } from "./cycle.ts";

/** A way round in a circle, and one that leads over or to the hub's own machine. */
export function checkJumps(lab: LabDocument): readonly Finding[] {
  const graph = new Map<string, readonly string[]>();
  for (const [name, { jump }] of Object.entries(lab.machines)) graph.set(name, jump === undefined ? [] : [jump]);
  const circles = findCycles(graph).map((cycle) => {
    const [first = ""] = cycle;
    return {
      code: "jump-cycle" as const,
      path: ["machines", first, "jump"],
      message:
        cycle.length === 1
          ? `${first} is to be reached through itself.`
          : `The way goes round in a circle: ${[...cycle, first].join(" through ")}.`,
      hint: "One of them has no `jump`: the one that the hub reaches by itself.",
    };
  });
  return [...circles, ...Object.keys(lab.machines).flatMap((name) => checkJump(lab, name))];
}

function checkJump(lab: LabDocument, name: string): readonly Finding[] {
  const machine = lab.machines[name];
  const over = machine?.jump === undefined ? undefined : lab.machines[machine.jump];
  if (machine?.jump === undefined || over === undefined) return [];
  const path = ["machines", name, "jump"];
  const hint = "Leave `jump` out: it is for machines that only another one reaches.";
  if (identityOf(machine, name) === "local") {
    return [{ code: "bad-value", path, message: `${name} is the hub's own machine: no way leads to it.`, hint }];
  }
  if (identityOf(over, machine.jump) === "local") {
    return [{ code: "bad-value", path, message: `${machine.jump} is the machine that the hub starts from.`, hint }];
  }
  return [];
}

/** A scrape that may still run when the next one begins. */
export function checkExporters(lab: LabDocument): readonly Finding[] {
  return Object.entries(lab.machines).flatMap(([name, machine]) =>
    Object.entries(machine.exporters ?? {}).flatMap(([exporter, { timeout }]): readonly Finding[] => {
      const { everyMs, timeoutMs } = scrapeTimes(machine, exporter);
      if (timeoutMs <= everyMs) return [];
      const message = `A scrape may take ${timeout}, which is longer than until the next one (${everyMs / 1_000} s).`;
      const hint = "Make `timeout` shorter, or `every` longer.";
      return [{ code: "out-of-range", path: ["machines", name, "exporters", exporter, "timeout"], message, hint }];
    }),
  );
}
