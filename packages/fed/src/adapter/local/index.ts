export { readLocalFacts } from "./facts.ts";
export { makeLocalProbe } from "./probe.ts";
