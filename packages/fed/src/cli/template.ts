/** What `fed init` writes, as data: a small lab that works at once and what an editor needs to understand it. */

/** Compiler options of a lab; TypeScript 5.9 and later. `preserve` reads imports as Node does, without a package.json. */
export const labOptions = {
  target: "esnext",
  module: "preserve",
  lib: ["esnext"],
  types: [],
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
} as const;

/** Where the language lies in a lab's folder; never committed. */
export const languageLink = ".fed/lab";

const tsconfig = {
  compilerOptions: { ...labOptions, paths: { "@fed/lab": [`./${languageLink}/index.ts`] } },
  include: ["**/*.ts"],
  exclude: [".fed", "node_modules"],
};

/** What an editor and Git need; written again when it is missing. */
export const surroundingFiles: Readonly<Record<string, string>> = {
  "tsconfig.json": `${JSON.stringify(tsconfig, null, 2)}\n`,
  ".gitignore": ".fed/\nnode_modules/\n",
};

/** The lab itself and what it runs. */
export function labFiles(name: string): Readonly<Record<string, string>> {
  return { "lab.ts": labText(name), "site/server.mjs": serverText, "README.md": readmeText(name) };
}

function labText(name: string): string {
  return `import { defineLab, http, process, server } from "@fed/lab";

// Your lab, as one value. Names are keys; an editor completes them and marks a misspelt one.
export default defineLab({
  name: "${name}",
  machines: {
    // "local" is the machine fed runs on.
    hub: server({ address: "local" }),
  },
  environments: {
    dev: { machines: ["hub"] },
  },
  services: {
    site: {
      // Listens on the port it finds in PORT.
      run: process("node site/server.mjs"),
      health: http("/health"),
      route: "${name}.localhost",
    },
  },
});
`;
}

const serverText = `import { createServer } from "node:http";

createServer((request, response) => {
  if (request.url === "/health") return response.end("ok");
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end("<h1>It runs.</h1><p>Edit lab.ts or site/server.mjs and look again.</p>");
}).listen(process.env.PORT, "127.0.0.1");
`;

function readmeText(name: string): string {
  return `# ${name}

A home lab as one typed file: [lab.ts](lab.ts).

    fed up       # make it real; then open http://${name}.localhost:8080
    fed check    # say ok, or list everything wrong
    fed status   # from another terminal: what runs and how it is

\`.fed/\` lets your editor find the language and is not committed. In a fresh clone run \`fed init .\` once.
`;
}
