import { readFile, stat } from "node:fs/promises";
import { Fault } from "#base/fault.ts";
import { fileFault } from "./file-fault.ts";

/** All of a file that a person names. Fault `invalid` for what is too long, and for what is no file: a device may have no end. */
export async function readSmallFile(
  path: string,
  { what, mostBytes }: { readonly what: string; readonly mostBytes: number },
): Promise<string> {
  const refuse = (thrown: unknown) => {
    throw fileFault(thrown, "read", path);
  };
  const found = await stat(path).catch(refuse);
  if (!found.isFile()) throw new Fault("invalid", `${path} is no file`, { hint: "Name the file itself." });
  if (found.size > mostBytes) throw new Fault("invalid", `${path} is too long for a ${what}`);
  return readFile(path, "utf8").catch(refuse);
}
