export { type JumpHosts, makeJumpHosts } from "./jump.ts";
export { openSshShell, type SshShellNeeds } from "./shell.ts";
