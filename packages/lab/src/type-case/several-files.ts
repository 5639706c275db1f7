/** Labs over several files, right and wrong. Each case is a folder. */

import { baseFile, dataFile, source } from "./source.ts";

export interface Folder {
  readonly files: Readonly<Record<string, string>>;
  /** What the compiler must say at the marker; left out where all is right. */
  readonly says?: RegExp;
}

const web = (uses: string, fields: string) =>
  source(`import { base } from "./base.ts";
import { data } from "./data.ts";
export const web = definePart(base, {
  uses: [${uses}],
  services: { blog: { run: process("x"), ${fields} } },
});
void data;
`);

const lab = (parts: string) =>
  source(`import { base } from "./base.ts";
import { data } from "./data.ts";
import { web } from "./web.ts";
void [data, web];
export default assembleLab(base, [${parts}]);
`);

function folder(uses: string, fields: string, parts = "data, web"): Readonly<Record<string, string>> {
  return { "base.ts": baseFile, "data.ts": dataFile, "web.ts": web(uses, fields), "lab.ts": lab(parts) };
}

export const folders: Readonly<Record<string, Folder>> = {
  "references across files": {
    files: folder(
      "data",
      'needs: ["database"], env: { CACHE: { service: "cache" }, DB: { secret: "BLOG_DB" } }, in: ["dev", "prod"]',
    ),
  },
  "a part that uses none": { files: folder("", 'on: { prod: "node5" }') },
  "a service of another file by its name": { files: folder('"database"', 'needs: ["database"]') },
  "two files that refer to each other": {
    files: {
      "base.ts": baseFile,
      "a.ts": source(`import { base } from "./base.ts";
export const a = definePart(base, { uses: ["b2"], services: { a1: { run: process("x") }, a2: { run: process("x"), needs: ["b2"] } } });`),
      "b.ts": source(`import { base } from "./base.ts";
import { a } from "./a.ts";
export const b = definePart(base, { uses: [a], services: { b1: { run: process("x"), needs: ["a1"] }, b2: { run: process("x") } } });`),
      "lab.ts": source(`import { base } from "./base.ts";
import { a } from "./a.ts";
import { b } from "./b.ts";
const lab = assembleLab(base, [a, b]);
export const name: "a1" | "a2" | "b1" | "b2" = null as unknown as keyof typeof lab.services;`),
    },
  },
  "machines in a file of their own": {
    files: {
      "machine.ts": source(
        'export const machines = { hub: server({ address: "local" }), node5: server({ address: "10.0.0.5" }) };',
      ),
      "lab.ts": source(`import { machines } from "./machine.ts";
const base = defineBase({ name: "x", machines, environments: { dev: { machines: ["node5"] } } });
export default assembleLab(base, [definePart(base, { services: { a: { run: process("x"), on: "node5" } } })]);`),
    },
  },

  "a machine of another file, reached through an unknown one": {
    files: {
      "machine.ts": source('export const machines = { node5: server({ address: "10.0.0.5", jump: "bastoin" }) };'),
      "lab.ts": source(`import { machines } from "./machine.ts";
export const base = defineBase({ name: "x", /*!*/machines, environments: { dev: { machines: ["node5"] } } });`),
    },
    says: /"bastoin"/,
  },
  "needs: misspelt across files": {
    files: folder("data", 'needs: [/*!*/"databse"]'),
    says: /"databse".*Did you mean '"database"'/s,
  },
  "env: misspelt service across files": {
    files: folder("data", 'env: { DB: { /*!*/service: "databse" } }'),
    says: /"databse".*Did you mean '"database"'/s,
  },
  "needs: a service of a part that is not used": {
    files: folder("", 'needs: [/*!*/"database"]'),
    says: /"database"/,
  },
  "unknown machine in a part": { files: folder("data", '/*!*/on: "node4"'), says: /"node4".*Did you mean '"node5"'/s },
  "unknown secret in a part": { files: folder("data", 'env: { A: { /*!*/secret: "SMPT" } }'), says: /"SMPT"/ },
  "unknown environment in a part": {
    files: folder("data", 'route: { /*!*/prodd: "x.example.org" }'),
    says: /'prodd' does not exist/,
  },
  "misspelt field in a part": { files: folder("data", "/*!*/replcas: 2"), says: /Did you mean to write 'replicas'/ },
  "a used part left out of the lab": {
    files: folder("data", 'needs: ["database"]', "/*!*/web"),
    says: /it uses the service \\"(?:database|cache)\\", which no part in this list has/,
  },
  "a service named, which no part has": {
    files: folder('"mail"', 'needs: ["mail"]', "data, /*!*/web"),
    says: /it uses the service \\"mail\\", which no part in this list has/,
  },
  "one service in two parts": {
    files: {
      "base.ts": baseFile,
      "data.ts": dataFile,
      "lab.ts": source(`import { base } from "./base.ts";
import { data } from "./data.ts";
const more = definePart(base, { services: { cache: { run: image("valkey:8"), port: 1 }, mail: { run: process("x") } } });
export default assembleLab(base, [/*!*/data, /*!*/more]);`),
    },
    says: /another part also has the service \\"cache\\"/,
  },
  "misspelt environment in a base": {
    files: {
      "lab.ts": source(
        'export const base = defineBase({ name: "x", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } }, secrets: { A: { in: [/*!*/"dve"] } } });',
      ),
    },
    says: /"dve"/,
  },
};
