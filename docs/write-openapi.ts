/** Writes docs/openapi.json from the table of endpoints: `node docs/write-openapi.ts`. A test says when it is due. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openapiOf } from "../packages/fed/src/wire/openapi.ts";

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../packages/fed/package.json"), "utf8")) as {
  version: string;
};
writeFileSync(join(import.meta.dirname, "openapi.json"), `${JSON.stringify(openapiOf(version), null, 2)}\n`);
