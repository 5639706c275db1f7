/** Labs that are right: each must compile without a word. */

import { blogIs, blogWith, labWith, source } from "./source.ts";

export const correct: Readonly<Record<string, string>> = {
  "the smallest lab": source(`export default defineLab({
  name: "x", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } },
  services: { blog: { run: process("node server.mjs") } },
});`),
  "no services at all": source(`export default defineLab({
  name: "x", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } }, services: {},
});`),
  "every field of a server": labWith({
    machines: `hub: server({ address: "local", port: 2222, user: "fed", key: "./key", labels: { gpu: "rtx3090" } }),
    node5: server({ address: "fd00::5" })`,
  }),
  "machines through others, with exporters": labWith({
    machines: `hub: server({ address: "local", every: "30s" }),
    node5: server({ address: "10.0.0.5", jump: "mbp", exporters: { node: "http://10.0.0.5:9100/metrics" } }),
    mbp: workstation({ tailscale: "mbp", every: "1m", exporters: {
      windows: { url: "http://mbp:9182/metrics", every: "30s", timeout: "5s", labels: { site: "home" } },
      gpu: { url: "https://mbp:9400/metrics", auth: { token: { secret: "SMTP" } } },
      disk: { url: "http://mbp:1/", auth: { user: "ada", password: { secret: "BLOG_DB" } } },
    } })`,
  }),
  "machines with an engine and an ingress": labWith({
    machines: `hub: server({ address: "local", engine: podman({ socket: "/run/user/1000/podman/podman.sock" }), ingress: builtin({
      tls: "given", httpsPort: 8443, certificates: [{ certificate: "./full.pem", key: "./key.pem" }],
    }) }),
    node5: server({ address: "10.0.0.5", engine: docker(), ingress: caddy({ tls: "acme", email: "ada@example.org" }) }),
    mbp: workstation({ tailscale: "mbp", ingress: caddy() })`,
  }),
  "certificates by environment": blogWith(
    'in: ["dev", "prod"], route: { dev: "blog.localhost", prod: "blog.example.org" }, tls: { prod: "acme", default: "none" }',
  ),
  workstations: labWith({
    machines: 'hub: workstation({ tailscale: "mbp" }), node5: workstation({ address: "10.0.0.5", user: "me" })',
  }),
  "an environment that promotes": labWith({}),
  "several machines": labWith({ environments: 'dev: { machines: ["hub", "node5"] }, prod: { machines: ["node5"] }' }),
  "secrets with and without environments": labWith({
    secrets: 'A: {}, BLOG_DB: { in: ["dev"], description: "Of the blog." }',
  }),
  "targets of remote write": labWith({
    metrics: `remoteWrite: {
      longterm: { url: "http://10.0.0.5:8428/api/v1/write" },
      cloud: { url: "https://x.example", auth: { user: "ada", password: { secret: "SMTP" } }, labels: { hub: "ocean" }, only: ["up"] },
      other: { url: "https://y.example", auth: { token: { secret: "BLOG_DB" } }, drop: ['{job="node"}', "go_info"] },
    }`,
  }),
  registries: labWith({
    registries: '"ghcr.io": { auth: { user: "ada", password: { secret: "SMTP" } } }, "registry.lan:5000": {}',
    services:
      'blog: { run: { dev: build("./blog"), default: build("./blog", { push: "ghcr.io/ada/blog" }) }, port: 80 }',
  }),
  "an argv with a folder": blogIs('blog: { run: process(["node", "server.mjs"], { folder: "./blog" }) }'),
  "an image": blogIs('blog: { run: image("ghcr.io/me/blog:1.2.3"), port: 80, hostPort: 8080 }'),
  "a build": blogIs('blog: { run: build("./blog", { dockerfile: "Dockerfile.prod" }), port: 80 }'),
  "a run by environment": blogIs('blog: { run: { dev: process("npm run dev"), default: build("./blog") }, port: 80 }'),
  "runs written out": blogIs(
    'blog: { run: { dev: { kind: "process", command: ["node", "x"] }, default: { kind: "image", reference: "x" } }, port: 80 }',
  ),
  "every kind of health": blogWith(
    'health: { dev: tcp(), staging: command("true"), prod: http("/", { every: "1.5s", timeout: "500ms", within: "2m" }) }',
  ),
  routes: blogWith('in: ["dev", "prod"], route: { dev: "blog.localhost", prod: "blog.example.org" }'),
  "a variable of every kind": blogWith(`in: ["dev", "prod"], env: {
      PLAIN: "text", BY_ENVIRONMENT: { dev: "debug", default: "info" }, SECRET: { secret: "BLOG_DB" }, SECRET_FILE: { secretFile: "BLOG_DB" }, DB: { service: "database" },
      MIXED: { dev: "sqlite::memory:", default: { secret: "BLOG_DB" } }, FILE: { dev: { secretFile: "SMTP" } }, ADDRESS: { prod: { service: "database" } },
    }`),
  "itself as a reference": blogWith('env: { OWN_URL: { service: "blog" } }'),
  volumes: blogWith(
    'volumes: { data: { at: "/data" }, photos: { at: "/photos", host: "/srv/photos", readOnly: true } }, on: { prod: "node5" }',
  ),
  "needs and places": blogWith('needs: ["database"], on: { prod: "node5", default: "hub" }, replicas: { prod: 2 }'),
  limits: blogWith(
    'cpu: { dev: 0.5, default: 2 }, memory: { dev: "512MiB", default: "2GB" }, stopGrace: "1m", settle: { dev: "0s" }',
  ),
  "facts for people": blogWith(
    'owner: "me", repo: "git@example.org:me/blog", runbook: "./blog.md", links: { docs: "https://example.org" }',
  ),
  "names in constants": source(`const health = http("/health", { every: "1s" });
const limits = { cpu: 1, memory: "1GiB" } as const;
export default defineLab({
  name: "x", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } },
  services: { a: { run: process("x"), health, ...limits }, b: { run: process("y"), health, needs: ["a"] } },
});`),
  "machines from a map of their own":
    source(`const machines = { hub: server({ address: "10.0.0.2" }), mbp: workstation({ tailscale: "m", jump: "hub" }) };
export default defineLab({
  name: "x", machines: { ...machines, extra: server({ address: "10.0.0.1" }) }, environments: { dev: { machines: ["mbp", "extra"] } },
  services: { a: { run: process("x"), on: "extra" } },
});`),
  "the names of a lab as types": `${blogWith("").replace("export default", "const lab =")}
const name: keyof typeof lab.services = "database";
export const machine: "hub" | "node5" = null as unknown as keyof typeof lab.machines;
export const document: import("@fed/lab").LabDocument = lab;
void name;`,
};
