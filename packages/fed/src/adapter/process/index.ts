export { openProcessRuntime } from "./runtime.ts";
