export { makeLocalProbe } from "./probe.ts";
export { openLocalShell } from "./shell.ts";
