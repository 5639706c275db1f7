/** The one list of adapters. */
export { type BuiltinIngress, openBuiltinIngress } from "./builtin/index.ts";
export { makeLocalProbe } from "./local/index.ts";
export { openProcessRuntime, type ProcessRuntime } from "./process/index.ts";
