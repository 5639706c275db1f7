import { type LabDocument, readLab } from "@fed/lab";
import fc from "fast-check";

/** Labs of any shape that `fed check` takes: what a property about all of them is tried on. */

interface Drafted {
  readonly run: "process" | "image" | "build";
  readonly in: readonly string[];
  readonly on: { readonly dev: string; readonly prod: string };
  readonly chosen: boolean;
  readonly replicas: number;
  readonly needs: readonly number[];
  readonly refers: boolean;
  readonly health: "http" | "tcp" | "command" | "none";
  readonly route: boolean;
  readonly data: "none" | "written" | "read";
  readonly published: boolean;
  readonly version: number;
  readonly value: string;
  readonly secret: boolean;
}

const drafted: fc.Arbitrary<Drafted> = fc.record({
  run: fc.constantFrom("process", "image", "image", "build"),
  in: fc.constantFrom(["dev"], ["prod"], ["dev", "prod"], ["dev", "prod"]),
  on: fc.record({ dev: fc.constantFrom("hub", "north"), prod: fc.constantFrom("north", "south") }),
  chosen: fc.boolean(),
  replicas: fc.integer({ min: 1, max: 3 }),
  needs: fc.uniqueArray(fc.nat(5), { maxLength: 2 }),
  refers: fc.boolean(),
  health: fc.constantFrom("http", "tcp", "command", "none"),
  route: fc.boolean(),
  data: fc.constantFrom("none", "none", "written", "read"),
  published: fc.integer({ min: 0, max: 3 }).map((chance) => chance === 0),
  version: fc.nat(2),
  value: fc.constantFrom("a", "b"),
  secret: fc.boolean(),
});

/** As people write it; each service needs and refers to those before it alone, so that there is no circle. */
function writtenOf(drafts: readonly (Drafted | undefined)[], promotes: boolean, caddy: boolean): unknown {
  const services = drafts.flatMap((one, at) => (one === undefined ? [] : [[`s${at}`, serviceOf(one, at, drafts)]]));
  return {
    name: "generated",
    machines: {
      hub: { kind: "server", address: "local" },
      north: { kind: "server", address: "10.0.0.1", engine: { kind: "docker" } },
      south: { kind: "server", address: "10.0.0.2", ...(caddy ? { ingress: { kind: "caddy" } } : {}) },
    },
    environments: {
      dev: { machines: ["hub", "north"] },
      prod: { machines: ["north", "south"], ...(promotes ? { promoteFrom: "dev" } : {}) },
    },
    secrets: { WORD: {} },
    services: Object.fromEntries(services),
  };
}

function serviceOf(one: Drafted, at: number, drafts: readonly (Drafted | undefined)[]): unknown {
  const before = one.needs.filter((need) => {
    const other = need < at ? drafts[need] : undefined;
    return other !== undefined && one.in.every((environment) => other.in.includes(environment));
  });
  const process = one.run === "process";
  const alone = one.data !== "none" || one.published;
  const [first] = before;
  const env = {
    VALUE: one.value,
    ...(one.refers && first !== undefined ? { OTHER: { service: `s${first}` } } : {}),
    ...(one.secret ? { WORD: { secret: "WORD" } } : {}),
  };
  const ports = process
    ? one.published && { port: { dev: 4000 + at, prod: 4100 + at } }
    : { port: 8080, ...(one.published ? { hostPort: { dev: 5000 + at, prod: 5100 + at } } : {}) };
  const health = one.health === "none" ? {} : { health: healthOf(one.health) };
  return {
    run: runOf(one, at),
    in: one.in,
    ...(one.chosen ? { on: one.on } : {}),
    ...(alone ? {} : { replicas: one.replicas }),
    ...(before.length > 0 ? { needs: before.map((need) => `s${need}`) } : {}),
    ...(one.route ? { route: { dev: `s${at}-dev.localhost`, prod: `s${at}.localhost` } } : {}),
    ...(one.data === "none" ? {} : { volumes: { data: volumeOf(one) } }),
    ...{ env, ...ports, ...health },
  };
}

/** Folders of processes are people's own: none has to be made on the disk. */
function volumeOf({ run, data }: Drafted): unknown {
  return { at: "/data", readOnly: data === "read", ...(run === "process" ? { host: "/srv/data" } : {}) };
}

function runOf({ run, version }: Drafted, at: number): unknown {
  if (run === "process") return { kind: "process", command: ["serve", String(version)] };
  if (run === "image") return { kind: "image", reference: `shop/s${at}:${version}` };
  return { kind: "build", folder: `./s${at}` };
}

function healthOf(kind: "http" | "tcp" | "command"): unknown {
  if (kind === "http") return { kind, path: "/health" };
  return kind === "tcp" ? { kind } : { kind, command: ["true"] };
}

/** Every name of `services` may be missing, so that edits bring and take services. */
export const generatedLab: fc.Arbitrary<LabDocument> = fc
  .tuple(
    fc.array(fc.option(drafted, { freq: 5, nil: undefined }), { minLength: 1, maxLength: 6 }),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([drafts, promotes, caddy]) => {
    const { lab, diagnostics } = readLab(writtenOf(drafts, promotes, caddy));
    if (lab) return lab;
    throw new Error(`a generated lab is refused: ${JSON.stringify(diagnostics)}`);
  });
