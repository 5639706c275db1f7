import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import { readFileIfThere } from "#disk/atomic-file.ts";

/**
 * The value of a secret: the file `secrets/NAME` of the data folder, without its last newline. The value goes to the
 * instance that needs it and nowhere else.
 */
export async function readSecret(dataFolder: string, name: string): Promise<string> {
  const path = join(dataFolder, "secrets", name);
  const text = await readFileIfThere(path);
  if (text === undefined) {
    throw new Fault("missing", `secret ${name} has no value on this hub`, {
      hint: `Write it to ${path} (mode 0600), then run \`fed apply\`.`,
    });
  }
  return text.replace(/\r?\n$/, "");
}
