import { describe, expect, it } from "vitest";
import { checkLab } from "../lab.ts";
import { isPlainObject } from "../read/cursor.ts";
import { container, plainLab, program, wordsOf, wrongIn, wrongWith } from "../test-lab.ts";

/** What is wrong with a service `a` that has these fields beside its run, in the environment dev only. */
const wrongField = (field: string, value: unknown) => wrongWith({ a: { ...program, in: ["dev"], [field]: value } });
const wrongFieldOfContainer = (field: string, value: unknown) =>
  wrongWith({ a: { ...container, in: ["dev"], [field]: value } });

/** Values of no use anywhere, next to those of a wrong type. */
const oddValues = [
  null,
  5,
  Number.NaN,
  true,
  "",
  "x y\n",
  [],
  {},
  () => 1,
  Symbol("x"),
  10n,
  new Date(),
  new Map(),
  Promise.resolve(1),
];

const isEmptyMap = (value: unknown) => isPlainObject(value) && Object.keys(value).length === 0;

const fields = {
  run: [{ kind: "process", command: "node x" }, { dev: { kind: "build", folder: "./x", dockerfile: "D" } }],
  in: [["dev"], ["dev", "prod"]],
  port: [1, 65_535, { dev: 80 }],
  health: [
    { kind: "http", path: "/h", every: "10ms", timeout: "10m", within: "1d" },
    { kind: "tcp" },
    { dev: { kind: "command", command: "true" } },
  ],
  route: ["a", "a.localhost", "xn--bcher-kva.example", { dev: "a.b.c" }],
  env: [
    {},
    { A: "", B: { dev: "x", default: { secret: "KEY" } }, _c9: { service: "a" }, F: { dev: { secretFile: "KEY" } } },
  ],
  volumes: [{}, { data: {} }, { data: { at: "/data", host: "/srv/..data", readOnly: true } }],
  needs: [[]],
  on: ["hub", { dev: "hub" }],
  replicas: [1, 100, { dev: 2, default: 1 }],
  stopGrace: ["0s", "1h", { dev: "5s" }],
  settle: ["0s", "1h", { dev: "5s" }],
  cpu: [0.01, 64, { dev: 0.5 }],
  memory: ["1MiB", { dev: "2GB" }],
  owner: ["me", "A & B"],
  repo: ["git@example.org:me/x", "https://example.org/x", "../x"],
  runbook: ["./x.md", "https://example.org/x"],
  links: [{}, { "Its manual": "https://example.org" }],
} as const;

describe.each(Object.entries(fields))("the field %s of a service", (field, right) => {
  it.each(right.map((value) => [JSON.stringify(value), value]))("can be %s", (_, value) => {
    expect(wrongField(field, value)).toEqual([]);
  });

  it.each(oddValues.map((value) => [String(value?.constructor?.name ?? value), value]))(
    "is checked against %s",
    (_, value) => {
      const fine = checkLab(plainLab({ a: { ...program, in: ["dev"], [field]: value } })).length === 0;
      const allowed: Readonly<Record<string, (value: unknown) => boolean>> = {
        replicas: (v) => v === 5,
        port: (v) => v === 5,
        cpu: (v) => v === 5,
        needs: (v) => Array.isArray(v),
        env: isEmptyMap,
        volumes: isEmptyMap,
        links: isEmptyMap,
      };
      expect(fine).toBe(allowed[field]?.(value) ?? false);
    },
  );
});

describe("what a service's values may not be", () => {
  it.each([
    ["port", 0, "out-of-range services.a.port"],
    ["port", 65_536, "out-of-range services.a.port"],
    ["port", 80.5, "out-of-range services.a.port"],
    ["port", "8080", "wrong-type services.a.port"],
    ["port", { dev: 0 }, "out-of-range services.a.port.dev"],
    ["port", { dve: 80 }, "unknown-environment services.a.port.dve"],
    ["replicas", 0, "out-of-range services.a.replicas"],
    ["replicas", 101, "out-of-range services.a.replicas"],
    ["cpu", 0, "out-of-range services.a.cpu"],
    ["cpu", Number.POSITIVE_INFINITY, "out-of-range services.a.cpu"],
    ["memory", "1B", "out-of-range services.a.memory"],
    ["memory", "2G", "bad-value services.a.memory"],
    ["memory", 512, "wrong-type services.a.memory"],
    ["stopGrace", "2h", "out-of-range services.a.stopGrace"],
    ["stopGrace", "5 s", "bad-value services.a.stopGrace"],
    ["settle", "2h", "out-of-range services.a.settle"],
    ["health", { kind: "http" }, "missing-key services.a.health"],
    ["health", { kind: "http", path: "health" }, "bad-value services.a.health.path"],
    ["health", { kind: "http", path: "/a b" }, "bad-value services.a.health.path"],
    ["health", { kind: "htpp", path: "/" }, "bad-value services.a.health.kind"],
    ["health", { kind: "tcp", every: "0s" }, "out-of-range services.a.health.every"],
    ["health", { kind: "tcp", every: "2h" }, "out-of-range services.a.health.every"],
    ["health", { kind: "tcp", timeout: "1ms" }, "out-of-range services.a.health.timeout"],
    ["health", { kind: "tcp", within: "2d" }, "out-of-range services.a.health.within"],
    ["health", { kind: "tcp", evry: "1s" }, "unknown-key services.a.health.evry"],
    ["health", { kind: "command", command: "a | b" }, "shell-syntax services.a.health.command"],
    ["health", { kind: "command", command: [] }, "empty services.a.health.command"],
    ["route", "A.localhost", "bad-value services.a.route"],
    ["route", "http://a.localhost", "bad-value services.a.route"],
    ["route", "a.localhost:8080", "bad-value services.a.route"],
    ["route", "*.localhost", "bad-value services.a.route"],
    ["route", "10.0.0.1", "bad-value services.a.route"],
    ["route", "a..b", "bad-value services.a.route"],
    ["route", `${"a".repeat(64)}.b`, "bad-value services.a.route"],
    ["env", { "1A": "x" }, 'bad-name services.a.env["1A"]'],
    ["env", { "A-B": "x" }, "bad-name services.a.env.A-B"],
    ["env", { A: "zero\0byte" }, "bad-value services.a.env.A"],
    ["env", { A: { secret: "KYE" } }, "unknown-secret services.a.env.A.secret"],
    ["env", { A: { secretFile: "KYE" } }, "unknown-secret services.a.env.A.secretFile"],
    ["env", { A: { secretFile: "KEY", secret: "KEY" } }, "unknown-key services.a.env.A.secretFile"],
    ["env", { A: { service: "b" } }, "unknown-service services.a.env.A.service"],
    ["env", { A: { secret: "KEY", dev: "x" } }, "unknown-key services.a.env.A.dev"],
    ["env", { A: { dve: "x" } }, "unknown-environment services.a.env.A.dve"],
    ["env", { A: "x".repeat(200_000) }, "out-of-range services.a.env.A"],
    ["volumes", { Data: { at: "/x" } }, "bad-name services.a.volumes.Data"],
    ["volumes", { data: { at: "data" } }, "bad-value services.a.volumes.data.at"],
    ["volumes", { data: { at: "/../etc" } }, "bad-value services.a.volumes.data.at"],
    ["volumes", { data: { at: "/a/.." } }, "bad-value services.a.volumes.data.at"],
    ["volumes", { data: { readonly: true } }, "unknown-key services.a.volumes.data.readonly"],
    ["needs", ["b"], "unknown-service services.a.needs[0]"],
    ["needs", "b", "wrong-type services.a.needs"],
    ["in", ["dev", "dev"], "duplicate services.a.in[1]"],
    ["in", [], "empty services.a.in"],
    ["in", ["dve"], "unknown-environment services.a.in[0]"],
    ["on", "hbu", "unknown-machine services.a.on"],
    ["on", ["hub"], "wrong-type services.a.on"],
    ["on", { dev: ["hub", "node5"] }, "wrong-type services.a.on.dev"],
    ["run", "node x", "wrong-type services.a.run"],
    ["run", { kind: "process", command: "node x > y" }, "shell-syntax services.a.run.command"],
    ["run", { kind: "process", command: ["node", 5] }, "wrong-type services.a.run.command[1]"],
    ["run", { kind: "process", command: [""] }, "empty services.a.run.command"],
    ["run", { kind: "process", command: "x", foldr: "y" }, "unknown-key services.a.run.foldr"],
    ["run", { kind: "proces", command: "x" }, "bad-value services.a.run.kind"],
    ["run", { kind: "image", reference: "Has Space" }, "bad-value services.a.run.reference"],
    ["run", { kind: "image", reference: "docker://x/y" }, "bad-value services.a.run.reference"],
    ["run", { kind: "build", folder: "" }, "empty services.a.run.folder"],
    ["run", {}, "empty services.a.run"],
    ["tls", "letsencrypt", "bad-value services.a.tls"],
    ["tls", { dev: true }, "wrong-type services.a.tls.dev"],
    ["owner", "two\nlines", "bad-value services.a.owner"],
    ["repo", "javascript:alert(1)", "bad-value services.a.repo"],
    ["runbook", " JavaScript:alert(1)", "bad-value services.a.runbook"],
    ["links", { x: "javascript:alert(1)" }, "bad-value services.a.links.x"],
    ["links", { x: "example.org" }, "bad-value services.a.links.x"],
    ["replcas", 2, "unknown-key services.a.replcas"],
  ])("%s: %j", (field, value, expected) => {
    expect(wrongField(field, value)).toEqual([expected]);
  });

  it.each([
    "postgres",
    "postgres:17",
    "ghcr.io/immich-app/immich-server:v1.132.3",
    "localhost:5000/x/y:1",
    "a/b_c/d-e.f__g",
    `busybox@sha256:${"0".repeat(64)}`,
    `ghcr.io/a/b:1@sha256:${"0".repeat(64)}`,
  ])("an image may be %s", (reference) => {
    expect(wrongFieldOfContainer("run", { kind: "image", reference })).toEqual([]);
  });
});

describe("machines, environments, secrets, names", () => {
  const machines = (one: unknown) => ({
    machines: { hub: one, node5: { kind: "server", address: "b" }, node6: { kind: "server", address: "c" } },
  });

  it.each([
    { kind: "server", address: "local", port: 22, user: "fed", key: "./id", labels: { gpu: "", "a.b/c": "x" } },
    { kind: "server", address: "10.0.0.1", jump: "node5", every: "1s" },
    { kind: "workstation", tailscale: "mbp", jump: "node5", every: "1h", exporters: {} },
    { kind: "server", address: "fd00::1" },
    { kind: "server", address: "local", engine: { kind: "podman", socket: "/run/user/1000/podman/podman.sock" } },
    { kind: "server", address: "local", ingress: { kind: "builtin", tls: "none", httpsPort: 8443 } },
    {
      kind: "server",
      address: "d",
      engine: { kind: "docker" },
      ingress: { kind: "caddy", admin: "unix//run/caddy.sock" },
    },
    {
      ...{ kind: "server", address: "d" },
      ingress: {
        ...{ kind: "caddy", admin: "http://127.0.0.1:2019", httpPort: 8080, httpsPort: 8443, tls: "acme" },
        ...{
          certificates: [{ certificate: "./a.pem", key: "/k.pem" }],
          email: "a@b.c",
          directory: "https://ca.lan/dir",
        },
      },
    },
    { kind: "server", address: "fe80::1%eth0" },
    { kind: "workstation", tailscale: "mbp" },
    { kind: "workstation", address: "10.0.0.1" },
  ])("a machine can be %j", (machine) => {
    expect(wrongWith({}, machines(machine))).toEqual([]);
  });

  it.each([
    ["hub", "wrong-type machines.hub"],
    [null, "wrong-type machines.hub"],
    [{ address: "local" }, "wrong-type machines.hub"],
    [{ kind: "sever", address: "local" }, "bad-value machines.hub.kind"],
    [{ kind: "server" }, "missing-key machines.hub"],
    [{ kind: "server", address: "me@host" }, "bad-value machines.hub.address"],
    [{ kind: "server", address: "ssh://host" }, "bad-value machines.hub.address"],
    [{ kind: "server", address: "host:22" }, "bad-value machines.hub.address"],
    [{ kind: "server", address: "-oProxyCommand=x" }, "bad-value machines.hub.address"],
    [{ kind: "server", address: "local", adress: "x" }, "unknown-key machines.hub.adress"],
    [{ kind: "server", address: "d", engine: "docker" }, "wrong-type machines.hub.engine"],
    [{ kind: "server", address: "d", engine: { kind: "dokcer" } }, "bad-value machines.hub.engine.kind"],
    [
      { kind: "server", address: "d", engine: { kind: "docker", socket: "docker.sock" } },
      "bad-value machines.hub.engine.socket",
    ],
    [{ kind: "server", address: "d", ingress: "caddy" }, "wrong-type machines.hub.ingress"],
    [
      { kind: "server", address: "d", ingress: { kind: "caddy", admin: "localhost:2019" } },
      "bad-value machines.hub.ingress.admin",
    ],
    [
      { kind: "server", address: "d", ingress: { kind: "caddy", certificates: [] } },
      "empty machines.hub.ingress.certificates",
    ],
    [
      { kind: "server", address: "d", ingress: { kind: "caddy", email: "ada" } },
      "bad-value machines.hub.ingress.email",
    ],
    [
      { kind: "server", address: "local", ingress: { kind: "builtin", admin: "x" } },
      "unknown-key machines.hub.ingress.admin",
    ],
    [{ kind: "server", address: "local", port: 0 }, "out-of-range machines.hub.port"],
    [{ kind: "server", address: "local", user: "-x" }, "bad-value machines.hub.user"],
    [{ kind: "server", address: "local", key: "-x" }, "bad-value machines.hub.key"],
    [{ kind: "server", address: "local", labels: { gpu: 2 } }, "wrong-type machines.hub.labels.gpu"],
    [{ kind: "server", address: "local", labels: { "a b": "2" } }, 'bad-value machines.hub.labels["a b"]'],
    [{ kind: "server", address: "x", jump: 5 }, "wrong-type machines.hub.jump"],
    [{ kind: "server", address: "x", jump: "nod5" }, "unknown-machine machines.hub.jump"],
    [{ kind: "server", address: "x", every: "500ms" }, "out-of-range machines.hub.every"],
    [{ kind: "server", address: "x", every: "2h" }, "out-of-range machines.hub.every"],
    [{ kind: "workstation" }, "missing-key machines.hub"],
    [{ kind: "workstation", tailscale: 5 }, "wrong-type machines.hub.tailscale"],
    [new (class Machine {})(), "wrong-type machines.hub"],
  ])("a machine cannot be %j", (machine, expected) => {
    expect(wrongWith({}, machines(machine))).toEqual([expected]);
  });

  it.each([
    [{ machines: [] }, "empty environments.dev.machines"],
    [{ machines: "hub" }, "wrong-type environments.dev.machines"],
    [{}, "missing-key environments.dev"],
    [{ machines: ["hbu"] }, "unknown-machine environments.dev.machines[0]"],
    [{ machines: ["hub", "hub"] }, "duplicate environments.dev.machines[1]"],
    [{ machines: ["hub"], promoteFrom: "pord" }, "unknown-environment environments.dev.promoteFrom"],
    [{ machines: ["hub"], approval: "yes" }, "wrong-type environments.dev.approval"],
    [{ machines: ["hub"], aproval: true }, "unknown-key environments.dev.aproval"],
    [5, "wrong-type environments.dev"],
  ])("an environment cannot be %j", (dev, expected) => {
    expect(wrongWith({}, { environments: { dev, prod: { machines: ["node5"] } } })).toEqual([expected]);
  });

  it.each(["default", "kind", "secret", "secretFile", "service"])("an environment cannot be called %s", (name) => {
    const environments = { [name]: { machines: ["hub"] } };
    expect(wrongWith({}, { environments, secrets: {} })).toEqual([`reserved-name environments.${name}`]);
  });

  it.each([
    [{ in: ["dve"] }, "unknown-environment secrets.KEY.in[0]"],
    [{ in: [] }, "empty secrets.KEY.in"],
    [{ in: "dev" }, "wrong-type secrets.KEY.in"],
    [{ description: 5 }, "wrong-type secrets.KEY.description"],
    [{ value: "hunter2" }, "unknown-key secrets.KEY.value"],
    ["hunter2", "wrong-type secrets.KEY"],
  ])("a secret cannot be %j", (secret, expected) => {
    expect(wrongWith({}, { secrets: { KEY: secret } })).toEqual([expected]);
  });

  it.each(["Blog", "blog_db", "blog.db", "1blog", "-blog", "blog-", "", "a b", "größe", "../x", "a".repeat(64)])(
    "a service cannot be called %j",
    (name) => {
      expect(wrongWith({ [name]: program })).toHaveLength(1);
      expect(wrongWith({ [name]: program })[0]).toMatch(/^bad-name /);
    },
  );

  it.each(["a", "blog-db", "b2", "constructor", "a".repeat(63)])("a service can be called %s", (name) => {
    expect(wrongWith({ [name]: program, user: { ...program, needs: [name] } })).toEqual([]);
  });

  it("takes no inherited name for a declared one", () => {
    expect(wrongWith({ a: { ...program, needs: ["toString", "constructor"] } })).toEqual([
      "unknown-service services.a.needs[0]",
      "unknown-service services.a.needs[1]",
    ]);
    const smuggled = JSON.parse('{ "__proto__": { "run": { "kind": "process", "command": "x" } } }') as object;
    expect(wrongWith(smuggled)).toEqual(["bad-name services.__proto__"]);
  });

  it("says what may have been meant", () => {
    expect(wordsOf(plainLab({ Blog: program }))[0]).toContain('Call it "blog".');
    expect(wordsOf(plainLab({ a: { ...program, ownr: "me" } }))).toEqual([
      'A service has no key "ownr". Did you mean "owner"?',
    ]);
    expect(wordsOf(plainLab({ a: { ...program, on: "nod5" } }))[0]).toContain('Did you mean "node5"?');
    expect(wordsOf(plainLab({ a: { ...program, env: { A: 5 } } }))[0]).toContain("Put quotes around it.");
    expect(wordsOf(plainLab({ a: { ...program, port: "80", in: ["dev"] } }))[0]).toContain("Take the quotes away.");
    expect(wordsOf(plainLab({ a: { run: "node x" } }))[0]).toContain("Write process(…) around a command.");
    expect(wordsOf(plainLab({ a: { ...program, needs: ["mailer"] } }))[0]).toBe(
      'There is no service "mailer". There is "a".',
    );
  });

  it.each([undefined, null, 5, "lab", [], () => 1, new Map(), Promise.resolve({})])("a lab cannot be %s", (value) => {
    expect(wrongIn(value)).toEqual(["wrong-type "]);
  });

  it("a lab needs its four parts, and has no others", () => {
    expect(wrongIn({})).toEqual(["missing-key ", "missing-key ", "missing-key ", "missing-key "]);
    expect(wrongIn({ ...plainLab({}), secerts: {} })).toEqual(["unknown-key secerts"]);
    expect(wrongIn({ ...plainLab({}), name: "The Ocean" })).toEqual(["bad-name name"]);
  });
});
