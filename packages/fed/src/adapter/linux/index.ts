export { makeLinuxCollector } from "./collector.ts";
