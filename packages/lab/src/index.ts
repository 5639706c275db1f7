export type { LabDocument } from "./document.ts";
