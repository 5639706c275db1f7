export { readLocalFacts } from "./facts.ts";
export { makeLocalProbe } from "./probe.ts";
export { openLocalShell } from "./shell.ts";
