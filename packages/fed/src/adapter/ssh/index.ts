export { makeJumpHosts } from "./jump.ts";
export { openSshShell } from "./shell.ts";
