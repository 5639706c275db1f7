/** Planted mistakes: each must be reported at its marker, and nowhere else. */

import { blogIs, blogWith, labWith, source } from "./source.ts";

export interface Mistake {
  readonly source: string;
  /** What the compiler's message must say. */
  readonly says: RegExp;
}

/** Every mistake's name says what a person got wrong. */
export const mistakes: Readonly<Record<string, Mistake>> = {
  // The lab
  "lab: misspelt key": {
    source: labWith({}).replace("secrets: {", "/*!*/secerts: {"),
    says: /'secerts' does not exist.*Did you mean to write 'secrets'/s,
  },
  "lab: no name": {
    source: source("export default defineLab(/*!*/{ machines: {}, environments: {}, services: {} });"),
    says: /Property 'name' is missing|"name"/,
  },
  "lab: a name that is a number": { source: labWith({}).replace('name: "ocean"', "/*!*/name: 5"), says: /number/ },
  "lab: a service that is not there, where the lab is used": {
    source: `${blogWith("").replace("export default", "const lab =")}\nvoid lab.services./*!*/databse;`,
    says: /'databse' does not exist.*Did you mean 'database'/s,
  },

  // Metrics
  "metrics: misspelt key": {
    source: labWith({ metrics: '/*!*/remoteWirte: { far: { url: "http://x" } }' }),
    says: /Did you mean to write 'remoteWrite'/,
  },
  "remote write: misspelt field": {
    source: labWith({ metrics: 'remoteWrite: { far: { url: "http://x", /*!*/lables: {} } }' }),
    says: /Did you mean to write 'labels'/,
  },
  "remote write: a URL without http": {
    source: labWith({ metrics: 'remoteWrite: { far: { /*!*/url: "10.0.0.5:8428" } }' }),
    says: /http:\/\//,
  },
  "remote write: a secret that is not there": {
    source: labWith({ metrics: 'remoteWrite: { far: { url: "http://x", auth: { token: { /*!*/secret: "SMPT" } } } }' }),
    says: /"SMTP"/,
  },
  "remote write: a password that is a text": {
    source: labWith({
      metrics: 'remoteWrite: { far: { url: "http://x", auth: { user: "ada", /*!*/password: "geheim" } } }',
    }),
    says: /string/,
  },

  // Registries
  "registry: misspelt field": {
    source: labWith({ registries: '"ghcr.io": { /*!*/auht: { user: "ada", password: { secret: "SMTP" } } }' }),
    says: /'auht' does not exist/,
  },
  "registry: a password that is a text": {
    source: labWith({ registries: '"ghcr.io": { auth: { user: "ada", /*!*/password: "geheim" } }' }),
    says: /string/,
  },
  "registry: a secret that is not there": {
    source: labWith({ registries: '"ghcr.io": { auth: { user: "ada", password: { /*!*/secret: "SMPT" } } }' }),
    says: /"SMTP"/,
  },
  "registry: a user without a password": {
    source: labWith({ registries: '"ghcr.io": { /*!*/auth: { user: "ada" } }' }),
    says: /'password' is missing/,
  },
  "build: pushed to no registry": {
    source: blogIs('blog: { run: build("./blog", { /*!*/push: "blog" }) }'),
    says: /"blog"/,
  },

  // Engines and ingresses
  "engine: a text": {
    source: labWith({
      machines: 'hub: server({ address: "local", /*!*/engine: "docker" }), node5: server({ address: "x" })',
    }),
    says: /string/,
  },
  "engine: misspelt field": {
    source: labWith({
      machines:
        'hub: server({ address: "local", engine: docker({ /*!*/scoket: "/x" }) }), node5: server({ address: "x" })',
    }),
    says: /Did you mean to write 'socket'/,
  },
  "ingress: misspelt source of certificates": {
    source: labWith({
      machines:
        'hub: server({ address: "local" }), node5: server({ address: "x", ingress: caddy({ /*!*/tls: "amce" }) })',
    }),
    says: /"amce"/,
  },
  "ingress: a public certificate of fed's own": {
    source: labWith({
      machines:
        'hub: server({ address: "local", ingress: builtin({ /*!*/tls: "acme" }) }), node5: server({ address: "x" })',
    }),
    says: /"acme"/,
  },
  "ingress: a certificate without its key": {
    source: labWith({
      machines:
        'hub: server({ address: "local", ingress: builtin({ certificates: [/*!*/{ certificate: "./a.pem" }] }) }), node5: server({ address: "x" })',
    }),
    says: /key/,
  },
  "tls: unknown environment": { source: blogWith('tls: { /*!*/prodd: "none" }'), says: /'prodd' does not exist/ },

  // Machines
  "server: misspelt field": {
    source: labWith({ machines: 'hub: server({ /*!*/adress: "local" }), node5: server({ address: "x" })' }),
    says: /'adress' does not exist.*Did you mean to write 'address'/s,
  },
  "server: no address": {
    source: labWith({ machines: 'hub: server(/*!*/{ user: "fed" }), node5: server({ address: "x" })' }),
    says: /'address' is missing/,
  },
  "server: an address that is a number": {
    source: labWith({ machines: 'hub: server({ /*!*/address: 5 }), node5: server({ address: "x" })' }),
    says: /number/,
  },
  "server: a port in quotes": {
    source: labWith({
      machines: 'hub: server({ address: "local", /*!*/port: "22" }), node5: server({ address: "x" })',
    }),
    says: /string/,
  },
  "server: a label that is a number": {
    source: labWith({
      machines: 'hub: server({ address: "local", labels: { /*!*/gpus: 2 } }), node5: server({ address: "x" })',
    }),
    says: /number/,
  },
  "workstation: misspelt field": {
    source: labWith({ machines: 'hub: workstation({ /*!*/tailscal: "mbp" }), node5: server({ address: "x" })' }),
    says: /Did you mean to write 'tailscale'/,
  },
  "machine: reached through an unknown one": {
    source: labWith({
      machines: 'hub: server({ address: "local" }), /*!*/node5: server({ address: "x", jump: "bastoin" })',
    }),
    says: /"bastoin".*"hub" \| "node5"/s,
  },
  "machine: an interval that is a number": {
    source: labWith({ machines: 'hub: server({ address: "local", /*!*/every: 10 }), node5: server({ address: "x" })' }),
    says: /number/,
  },
  "exporter: misspelt field": {
    source: labWith({
      machines:
        'hub: server({ address: "local", exporters: { node: { url: "http://x", /*!*/evry: "5s" } } }), node5: server({ address: "x" })',
    }),
    says: /'evry' does not exist.*Did you mean to write 'every'/s,
  },
  "exporter: a URL without http": {
    source: labWith({
      machines:
        'hub: server({ address: "local", exporters: { /*!*/node: "x:9100" } }), node5: server({ address: "x" })',
    }),
    says: /http:\/\//,
  },
  "exporter: a secret that is not there": {
    source: labWith({
      machines: `/*!*/hub: server({ address: "local", exporters: { node: { url: "http://x", auth: { token: { secret: "SMPT" } } } } }),
    node5: server({ address: "x" })`,
    }),
    says: /"SMPT".*"SMTP"/s,
  },
  "exporter: a secret in a lab without secrets": {
    source: source(`export default defineLab({
  name: "x", environments: { dev: { machines: ["hub"] } }, services: {}, machines: {
    /*!*/hub: server({ address: "local", exporters: { node: { url: "http://x", auth: { token: { secret: "A" } } } } }),
  },
});`),
    says: /the lab declares no secrets/,
  },
  "machine: a text": {
    source: labWith({ machines: '/*!*/hub: "local", node5: server({ address: "x" })' }),
    says: /string/,
  },
  "machine: misspelt kind": {
    source: labWith({ machines: 'hub: { /*!*/kind: "sever", address: "local" }, node5: server({ address: "x" })' }),
    says: /"sever"/,
  },

  // Environments
  "environment: unknown machine": {
    source: labWith({ environments: 'dev: { machines: [/*!*/"hbu"] }, prod: { machines: ["node5"] }' }),
    says: /"hbu"/,
  },
  "environment: unknown second machine": {
    source: labWith({ environments: 'dev: { machines: ["hub", /*!*/"nod5"] }, prod: { machines: ["node5"] }' }),
    says: /"nod5".*Did you mean '"node5"'/s,
  },
  "environment: no machines": {
    source: labWith({ environments: 'dev: { /*!*/machines: [] }, prod: { machines: ["node5"] }' }),
    says: /'0' is missing/,
  },
  "environment: promotes from an unknown one": {
    source: labWith({
      environments: 'dev: { machines: ["hub"] }, prod: { machines: ["hub"], /*!*/promoteFrom: "stagin" }',
    }),
    says: /"stagin"/,
  },
  "environment: an approval that is a text": {
    source: labWith({ environments: 'dev: { machines: ["hub"], /*!*/approval: "yes" }, prod: { machines: ["hub"] }' }),
    says: /boolean/,
  },
  "environment: misspelt field": {
    source: labWith({
      environments: 'dev: { machines: ["hub"], /*!*/promotFrom: "prod" }, prod: { machines: ["hub"] }',
    }),
    says: /Did you mean to write 'promoteFrom'/,
  },
  "environment: called default": {
    source: labWith({
      environments: 'dev: { machines: ["hub"] }, prod: { machines: ["hub"] }, /*!*/default: { machines: ["hub"] }',
    }),
    says: /an environment cannot be called \\"default\\"/,
  },
  "environment: called kind": {
    source: labWith({
      environments: 'dev: { machines: ["hub"] }, prod: { machines: ["hub"] }, /*!*/kind: { machines: ["hub"] }',
    }),
    says: /an environment cannot be called \\"kind\\"/,
  },

  // Secrets
  "secret: unknown environment": {
    source: labWith({ secrets: 'BLOG_DB: { in: ["dev", /*!*/"prd"] }' }),
    says: /"prd".*Did you mean '"prod"'|"prd"/s,
  },
  "secret: misspelt field": {
    source: labWith({ secrets: 'BLOG_DB: { /*!*/descripton: "Of the blog." }' }),
    says: /Did you mean to write 'description'/,
  },
  "secret: a value in the lab": { source: labWith({ secrets: '/*!*/BLOG_DB: "hunter2"' }), says: /"hunter2"|string/ },

  // How a service runs
  "service: misspelt field": { source: blogWith("/*!*/replcas: 2"), says: /Did you mean to write 'replicas'/ },
  "service: no run": { source: blogIs('/*!*/blog: { owner: "me" }'), says: /'run' is missing/ },
  "run: a text": { source: blogIs('blog: { /*!*/run: "node server.mjs" }'), says: /string/ },
  "run: unknown environment": {
    source: blogIs('blog: { run: { /*!*/prd: process("x"), dev: process("y") } }'),
    says: /'prd' does not exist/,
  },
  "run: misspelt kind": { source: blogIs('blog: { run: { /*!*/kind: "proces", command: "x" } }'), says: /"proces"/ },
  "run: misspelt field": {
    source: blogIs('blog: { run: { kind: "image", /*!*/refernce: "x" } }'),
    says: /'refernce' does not exist/,
  },
  "process: a command that is a number": { source: blogIs("blog: { run: process(/*!*/8080) }"), says: /number/ },
  "process: a word that is a number": { source: blogIs('blog: { run: process(["node", /*!*/8080]) }'), says: /number/ },
  "process: misspelt option": {
    source: blogIs('blog: { run: process("x", { /*!*/foldr: "y" }) }'),
    says: /Did you mean to write 'folder'/,
  },
  "image: no reference": { source: blogIs("blog: { run: /*!*/image() }"), says: /Expected 1 arguments/ },
  "build: misspelt option": {
    source: blogIs('blog: { run: build("./blog", { /*!*/dockerFile: "D" }) }'),
    says: /Did you mean to write 'dockerfile'/,
  },

  // References
  "in: unknown environment": { source: blogWith('in: [/*!*/"prodd"]'), says: /"prodd".*Did you mean '"prod"'/s },
  "needs: unknown service": {
    source: blogWith('needs: [/*!*/"databse"]'),
    says: /"databse".*Did you mean '"database"'/s,
  },
  "needs: not a list": { source: blogWith('/*!*/needs: "database"'), says: /string/ },
  "on: unknown machine": { source: blogWith('/*!*/on: "node4"'), says: /"node4".*Did you mean '"node5"'/s },
  "on: several machines": { source: blogWith('/*!*/on: ["hub", "node5"]'), says: /"hub" \| "node5"|string\[\]/ },
  "on: unknown machine for an environment": { source: blogWith('on: { /*!*/prod: "node4" }'), says: /"node4"/ },
  "on: several machines for an environment": {
    source: blogWith('on: { /*!*/prod: ["hub", "node5"] }'),
    says: /string\[\]/,
  },
  "on: unknown environment": { source: blogWith('on: { /*!*/prodd: "node5" }'), says: /'prodd' does not exist/ },
  "env: unknown secret": {
    source: blogWith('env: { DB: { /*!*/secret: "BLOG_DD" } }'),
    says: /"BLOG_DD".*Did you mean '"BLOG_DB"'/s,
  },
  "env: unknown secret for an environment": {
    source: blogWith('env: { DB: { dev: "x", prod: { /*!*/secret: "BLOG_DD" } } }'),
    says: /"BLOG_DD"/,
  },
  "env: unknown secret as a file": {
    source: blogWith('env: { DB_FILE: { /*!*/secretFile: "BLOG_DD" } }'),
    says: /"BLOG_DD".*Did you mean '"BLOG_DB"'/s,
  },
  "env: a secret in a lab without secrets": {
    source: source(`export default defineLab({
  name: "x", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } },
  services: { blog: { run: process("x"), env: { DB: { /*!*/secret: "BLOG_DB" } } } },
});`),
    says: /the lab declares no secrets/,
  },
  "env: unknown service": {
    source: blogWith('env: { DB: { /*!*/service: "databse" } }'),
    says: /"databse".*Did you mean '"database"'/s,
  },
  "env: unknown service for an environment": {
    source: blogWith('env: { DB: { default: { /*!*/service: "databse" } } }'),
    says: /"databse"/,
  },
  "env: unknown environment": {
    source: blogWith('env: { LOG: { /*!*/prodd: "info" } }'),
    says: /'prodd' does not exist/,
  },
  "env: misspelt reference": {
    source: blogWith('env: { DB: { /*!*/secrt: "BLOG_DB" } }'),
    says: /'secrt' does not exist/,
  },
  "env: a number": { source: blogWith("env: { /*!*/WORKERS: 4 }"), says: /number/ },

  // Values
  "port: in quotes": { source: blogWith('/*!*/port: "8080"'), says: /string/ },
  "port: unknown environment": { source: blogWith("port: { /*!*/prodd: 80 }"), says: /'prodd' does not exist/ },
  "port: in quotes for an environment": { source: blogWith('port: { /*!*/prod: "80" }'), says: /string/ },
  "hostPort: in quotes": { source: blogWith('/*!*/hostPort: "8080"'), says: /string/ },
  "health: a path without a slash": { source: blogWith('health: http(/*!*/"health")'), says: /"health"/ },
  "health: misspelt option": {
    source: blogWith('health: http("/health", { /*!*/timout: "5s" })'),
    says: /Did you mean to write 'timeout'/,
  },
  "health: a duration without a unit": { source: blogWith('health: tcp({ /*!*/every: "5" })'), says: /"5"/ },
  "health: a duration in words": { source: blogWith('health: tcp({ /*!*/every: "five s" })'), says: /"five s"/ },
  "health: a duration that is a number": { source: blogWith("health: tcp({ /*!*/every: 5 })"), says: /number/ },
  "health: unknown environment": { source: blogWith("health: { /*!*/prodd: tcp() }"), says: /'prodd' does not exist/ },
  "health: a text": { source: blogWith('/*!*/health: "/health"'), says: /string/ },
  "settle: an unknown unit": { source: blogWith('/*!*/settle: "5sec"'), says: /"5sec"/ },
  "stopGrace: an unknown unit": { source: blogWith('/*!*/stopGrace: "5sec"'), says: /"5sec"/ },
  "stopGrace: an unknown unit for an environment": {
    source: blogWith('stopGrace: { /*!*/prod: "5sec" }'),
    says: /"5sec"/,
  },
  "route: a number": { source: blogWith("/*!*/route: 8080"), says: /number/ },
  "route: unknown environment": {
    source: blogWith('route: { dev: "blog.localhost", /*!*/prodd: "blog.example.org" }'),
    says: /'prodd' does not exist.*Did you mean to write 'prod'/s,
  },
  "replicas: unknown environment": { source: blogWith("replicas: { /*!*/prodd: 2 }"), says: /'prodd' does not exist/ },
  "replicas: in quotes": { source: blogWith('/*!*/replicas: "2"'), says: /string/ },
  "cpu: in quotes": { source: blogWith('/*!*/cpu: "0.5"'), says: /string/ },
  "memory: an unknown unit": { source: blogWith('/*!*/memory: "2G"'), says: /"2G"/ },
  "memory: a number": { source: blogWith("/*!*/memory: 512"), says: /number/ },
  "memory: an unknown unit for an environment": { source: blogWith('memory: { /*!*/prod: "2G" }'), says: /"2G"/ },
  "volume: misspelt field": {
    source: blogWith('volumes: { data: { at: "/data", /*!*/readonly: true } }'),
    says: /Did you mean to write 'readOnly'/,
  },
  "volume: a text": { source: blogWith('volumes: { /*!*/data: "/data" }'), says: /no properties in common|string/ },
  "owner: a number": { source: blogWith("/*!*/owner: 5"), says: /number/ },
  "links: not an address": { source: blogWith('links: { /*!*/docs: "docs.example.org" }'), says: /"docs.example.org"/ },
};
