import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { onTestFinished } from "vitest";
import { openSshd, type Sshd, type SshdOptions, sshdProgram } from "./sshd-server.ts";

/** Why there can be no sshd here, as a part of the names of tests; "" where there can. */
export const withoutSshd =
  existsSync(sshdProgram) && spawnSync("ssh-keygen", ["-?"]).error === undefined
    ? ""
    : " [skipped: sshd is not installed: apt-get install openssh-server openssh-client]";

if (withoutSshd !== "" && process.env.CI === "true") throw new Error(withoutSshd);

/** Starts one that is gone after the test, however that ends. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const { sshd, end } = await openSshd(options);
  onTestFinished(end);
  return sshd;
}
