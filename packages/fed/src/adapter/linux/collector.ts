import type { LinuxSection } from "./section.ts";

/** Every section, in the order in which they are asked: what costs least and changes most comes first. */
export const linuxSections: readonly LinuxSection[] = [];
