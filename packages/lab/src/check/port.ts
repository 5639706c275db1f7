/** Ports: no two claims of one port on one machine, and a port where something depends on it. */

import type { Finding, Path } from "../diagnostic.ts";
import type { LabDocument } from "../document.ts";
import { valueIn } from "../per-environment.ts";
import { identityOf, machineOf } from "../resolve.ts";
import { eachPlacement, oncePer, type Placement, pathOf } from "./each.ts";

interface Claim {
  readonly name: string;
  readonly environment: string;
  readonly machine: string;
  readonly port: number;
  readonly path: Path;
}

/** Ports of machines: those of processes, and those at which containers are published. */
function* claimsOf(lab: LabDocument, placement: Placement): Generator<Claim> {
  const { name, service, environment, run } = placement;
  const field = run?.kind === "process" ? "port" : "hostPort";
  const port = valueIn(service[field], environment);
  if (run === undefined || port === undefined) return;
  const path = pathOf(service[field], ["services", name, field], environment);
  const machine = machineOf(lab, name, environment);
  if (machine !== undefined) yield { name, environment, machine, port, path };
}

/** Two services, or one in two environments, that claim one port on one machine. */
export function checkPortCollisions(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  const claims = new Map<string, Claim>();
  const isNew = oncePer((pair: readonly [Claim, Claim]) => JSON.stringify([pair[0].name, pair[1].name, pair[0].port]));
  for (const placement of eachPlacement(lab)) {
    for (const claim of claimsOf(lab, placement)) {
      const machine = lab.machines[claim.machine];
      if (machine === undefined) continue;
      const key = `${identityOf(machine, claim.machine)} ${claim.port}`;
      const first = claims.get(key);
      if (first === undefined) claims.set(key, claim);
      else if (isNew([first, claim])) findings.push(describeCollision(first, claim));
    }
  }
  return findings;
}

function describeCollision(first: Claim, second: Claim): Finding {
  const machine =
    first.machine === second.machine ? first.machine : `${first.machine} (${second.machine} is the same machine)`;
  const same = first.name === second.name;
  return {
    code: "port-collision",
    path: second.path,
    message: same
      ? `${first.name} claims port ${first.port} on ${machine} twice: in ${first.environment} and in ${second.environment}.`
      : `${first.name} (in ${first.environment}) and ${second.name} (in ${second.environment}) both claim port ${first.port} on ${machine}.`,
    hint: same
      ? `Give it a port for each environment: { ${first.environment}: ${first.port}, ${second.environment}: … }.`
      : "Give one of them another port or another machine.",
  };
}

/** What needs a port that is not there, and a host port where there is nothing to publish. */
export function checkPortUse(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const placement of eachPlacement(lab)) {
    const { name, service, environment, run } = placement;
    if (run === undefined) continue;
    const hostPort = valueIn(service.hostPort, environment);
    if (run.kind === "process") {
      if (hostPort === undefined) continue;
      findings.push({
        code: "host-port-of-process",
        path: pathOf(service.hostPort, ["services", name, "hostPort"], environment),
        message: "A process listens on the machine itself, so there is nothing to publish.",
        hint: "Write `port` instead.",
      });
      continue;
    }
    if (valueIn(service.port, environment) !== undefined) continue;
    const user = portUser(placement, hostPort);
    if (user === undefined) continue;
    findings.push({
      code: "no-port",
      path: pathOf(service[user.field], ["services", name, user.field], environment),
      message: `${user.what} needs \`port\`: the port the container listens on.`,
      hint: `Add \`port\` to services.${name}.`,
    });
  }
  return findings.filter(oncePer((finding) => JSON.stringify(finding.path)));
}

function portUser(
  { service, environment }: Placement,
  hostPort: number | undefined,
): { readonly field: "hostPort" | "route" | "health"; readonly what: string } | undefined {
  if (hostPort !== undefined) return { field: "hostPort", what: "A host port" };
  if (valueIn(service.route, environment) !== undefined) return { field: "route", what: "A route" };
  const health = valueIn(service.health, environment);
  if (health === undefined || health.kind === "command") return undefined;
  return { field: "health", what: `An ${health.kind} check`.replace("An tcp", "A tcp") };
}

/** More than one instance of what only one can have. */
export function checkReplicas(lab: LabDocument): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { name, service, environment, run } of eachPlacement(lab)) {
    const replicas = valueIn(service.replicas, environment) ?? 1;
    if (replicas < 2 || run === undefined) continue;
    const path = pathOf(service.replicas, ["services", name, "replicas"], environment);
    const field = run.kind === "process" ? "port" : "hostPort";
    const port = valueIn(service[field], environment);
    if (port !== undefined) {
      findings.push({
        code: "replicas-share",
        path,
        message: `${replicas} instances cannot share port ${port} of a machine.`,
        hint:
          run.kind === "process"
            ? "Leave `port` out: each then finds a free one in PORT."
            : "Leave `hostPort` out and reach them by `route`.",
      });
    }
    const volumes = Object.keys(service.volumes ?? {});
    if (volumes.length > 0) {
      findings.push({
        code: "replicas-share",
        path,
        message: `${replicas} instances cannot share the volume ${volumes[0]}.`,
        hint: "Run one, or keep the data in a service that is made for many clients.",
      });
    }
  }
  return findings.filter(oncePer((finding) => JSON.stringify([finding.path, finding.message])));
}
