import { type MasterKey, sheetLinesOf } from "./master-key.ts";

/** What a person prints and locks away. A secret. */
export function recoverySheet(key: MasterKey, from: "environment" | "file", nowMs: number): string {
  return [
    "fed: recovery sheet of the master key",
    "",
    `Key      ${key.id}`,
    `Printed  ${new Date(nowMs).toISOString().slice(0, 16).replace("T", " ")} UTC`,
    "",
    ...sheetLinesOf(key).map((line) => `    ${line}`),
    "",
    "Whoever has these four lines can open every secret in fed's vault, with a copy of its",
    "database. Print this, lock it away, and keep no copy on a disk.",
    "",
    "To come back after a loss: type the lines into a file, with their numbers, and run",
    "",
    "    fed key restore FILE",
    "",
    "on the hub's machine, while fed runs. Small and capital letters are the same; a letter O",
    "is read as zero, I and L as one. Each line checks itself.",
    ...(from === "environment" ? ["Where fed gets its key from FED_KEY, give it the four lines there."] : []),
    "",
    "After `fed key rotate` this sheet opens only older copies of the database: print a new one.",
  ].join("\n");
}
