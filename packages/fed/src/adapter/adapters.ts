/** The one list of adapters. */
export { makeAgentKit } from "./agent/index.ts";
export { openBuiltinIngress } from "./builtin/index.ts";
export { openCaddyIngress } from "./caddy/index.ts";
export { openDockerImages, openDockerRuntime, openPodmanImages, openPodmanRuntime } from "./docker/index.ts";
export { openExporterDoor } from "./exporter/index.ts";
export { makeLinuxCollector } from "./linux/index.ts";
export { makeLocalProbe, openLocalShell } from "./local/index.ts";
export { openProcessRuntime } from "./process/index.ts";
export { makeJumpHosts, openSshShell } from "./ssh/index.ts";
