/** The one list of adapters. */
export { openBuiltinIngress } from "./builtin/index.ts";
export { makeLocalProbe } from "./local/index.ts";
export { openProcessRuntime } from "./process/index.ts";
