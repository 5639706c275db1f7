export { openExporterDoor } from "./http.ts";
