/** Small labs as text, around the fragment that a case is about. */

const imports = `import {
  assembleLab, build, builtin, caddy, command, defineBase, defineLab, definePart, docker, http, image, podman, process, server,
  tcp, workstation,
} from "@fed/lab";
`;

const machines = 'hub: server({ address: "local" }), node5: server({ address: "192.168.1.5" })';

const environments = `dev: { machines: ["hub"] },
    staging: { machines: ["hub"], promoteFrom: "dev" },
    prod: { machines: ["node5"], promoteFrom: "staging", approval: true }`;

const secrets = 'BLOG_DB: { in: ["dev", "prod"] }, SMTP: {}';

const database = 'database: { run: image("postgres:17.2"), port: 5432 }';

function base(changes: Readonly<Record<string, string>>): string {
  return `name: "ocean",
  machines: { ${changes.machines ?? machines} },
  environments: {
    ${changes.environments ?? environments}
  },
  secrets: { ${changes.secrets ?? secrets} },${changes.metrics === undefined ? "" : `\n  metrics: { ${changes.metrics} },`}${
    changes.registries === undefined ? "" : `\n  registries: { ${changes.registries} },`
  }`;
}

/** A lab with some of its maps replaced; the rest of it is right. */
export function labWith(
  changes:
    | Readonly<Record<"machines" | "environments" | "secrets" | "services" | "metrics" | "registries", string>>
    | object,
): string {
  const given = changes as Readonly<Record<string, string>>;
  return `${imports}
export default defineLab({
  ${base(given)}
  services: {
    ${given.services ?? database},
  },
});
`;
}

/** A lab whose service `blog`, beside `database`, has these fields after `run`. */
export function blogWith(fields: string): string {
  return labWith({ services: `${database},\n    blog: { run: process("node server.mjs"), ${fields} }` });
}

/** A lab whose service `blog` is exactly this. */
export function blogIs(service: string): string {
  return labWith({ services: `${database},\n    ${service}` });
}

/** Any other source, with the imports. */
export function source(text: string): string {
  return `${imports}${text}`;
}

/** A file that exports a base. */
export const baseFile = source(`export const base = defineBase({ ${base({})} });\n`);

/** A file with a part: `data` has the services database and cache. */
export const dataFile = source(`import { base } from "./base.ts";
export const data = definePart(base, {
  services: { ${database}, cache: { run: image("redis:8"), port: 6379, needs: ["database"] } },
});
`);
