export { openProcessRuntime, type ProcessRuntime, type ProcessRuntimeOptions } from "./runtime.ts";
