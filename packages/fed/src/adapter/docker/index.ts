export { openDockerImages, openPodmanImages } from "./image.ts";
export { openDockerRuntime, openPodmanRuntime } from "./runtime.ts";
