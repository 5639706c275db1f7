export { makeLocalProbe } from "./probe.ts";
