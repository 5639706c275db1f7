import { isAbsolute, join, resolve } from "node:path";
import type { MachineDocument } from "@fed/lab";
import { Fault, isFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { lookAtKey } from "#hub/secret/ssh-key.ts";
import type { Revealed, Vault } from "#hub/secret/verbs.ts";
import type { SshKey, SshLogin } from "#port/shell.ts";
import { type KeyFile, readKeyFile } from "./login-file.ts";

/** Who the hub is where a machine's words do not say. */
export interface OwnLogin {
  /** The user that runs the hub. */
  readonly user: string;
  /** Its home: the hub's own keys are in `.ssh`. */
  readonly home: string;
  /** Socket of its SSH agent. */
  readonly agent: string | undefined;
}

export interface LoginNeeds {
  readonly own: OwnLogin;
  readonly vault: Pick<Vault, "reveal" | "hasOwn">;
  readonly trace: Trace;
  /** Paths of keys in the lab are relative to it. */
  labFolder(): string;
  /** Undefined for a machine that is not in the fleet. */
  documentOf(machine: string): MachineDocument | undefined;
}

/** How to log in to a machine, as things stand now. Asked before each connection, because files and secrets change. */
export type MakeLogin = (document: MachineDocument, machine: string) => Promise<SshLogin>;

/** As OpenSSH tries its own; a key on a device needs the agent. */
const ownKeys = ["id_ed25519", "id_ecdsa", "id_rsa"];
const mostJumps = 4;
const sshPort = 22;

/**
 * Makes an SSH login of the lab's words, the vault and what the hub's user has. Where a key is named for the machine, in the lab or in
 * the vault, no other is tried: machines end a connection after a few keys that do not fit. Otherwise the vault's key for all machines
 * and the hub's own keys and agent are. Faults name the path or the secret that is wrong, and never hold one.
 */
export function makeLogin(needs: LoginNeeds): MakeLogin {
  const login = async (document: MachineDocument, machine: string, behind: readonly string[]): Promise<SshLogin> => {
    const host = hostOf(document);
    if (host === undefined) throw new Fault("invalid", `${machine} is the hub's own machine: nobody logs in to it`);
    const { own } = needs;
    const named = await namedKeys(needs, document, machine);
    const keys = named.length > 0 ? named : await otherKeys(needs, machine);
    const others = keys.length > 0 || own.agent !== undefined;
    const password = orWithout(needs, others, () => needs.vault.reveal(machine, "ssh-password"))?.value;
    const jump = await jumpOf(document, machine, behind);
    return {
      ...{ machine, host, port: document.port ?? sshPort, user: document.user ?? own.user, keys },
      ...(password === undefined ? {} : { password: oneLine(password) }),
      ...(named.length > 0 || own.agent === undefined ? {} : { agent: own.agent }),
      ...(jump === undefined ? {} : { jump }),
    };
  };

  async function jumpOf(document: MachineDocument, machine: string, behind: readonly string[]) {
    const { jump: through } = document;
    if (through === undefined) return undefined;
    const way = [...behind, machine];
    if (way.includes(through))
      throw new Fault("invalid", `the way to ${way[0]} goes in a circle: ${[...way, through].join(" → ")}`);
    if (way.length > mostJumps)
      throw new Fault("invalid", `the way to ${way[0]} goes through more than ${mostJumps} machines`);
    const bastion = needs.documentOf(through);
    if (bastion === undefined)
      throw new Fault("missing", `${machine} is reached through ${through}, which is not in the fleet`);
    return hostOf(bastion) === undefined ? undefined : login(bastion, through, way);
  }

  return (document, machine) => login(document, machine, []);
}

/** Undefined for the hub's own machine. */
function hostOf(document: MachineDocument): string | undefined {
  if (document.address === "local") return undefined;
  return document.address ?? (document.kind === "workstation" ? document.tailscale : undefined) ?? "";
}

/** Those that are named for this machine alone. */
async function namedKeys(needs: LoginNeeds, { key }: MachineDocument, machine: string): Promise<readonly SshKey[]> {
  const keys: SshKey[] = [];
  if (key !== undefined) {
    const path = isAbsolute(key) ? key : resolve(needs.labFolder(), key);
    const file = await readKeyFile(path, needs.trace);
    if (file === undefined) throw missingKey(machine, key, path);
    keys.push(withPassphrase(needs, machine, path, file));
  }
  if (needs.vault.hasOwn(machine, "ssh-key")) {
    const sealed = needs.vault.reveal(machine, "ssh-key");
    if (sealed) keys.push(ofVault(needs, machine, sealed));
  }
  return keys;
}

/** Those that are tried at every machine: an own key with a passphrase is the agent's to use. */
async function otherKeys(needs: LoginNeeds, machine: string): Promise<readonly SshKey[]> {
  const own = await hubsKeys(needs);
  const others = own.length > 0 || needs.own.agent !== undefined;
  const sealed = orWithout(needs, others, () => needs.vault.reveal(machine, "ssh-key"));
  return sealed ? [ofVault(needs, machine, sealed), ...own] : own;
}

async function hubsKeys(needs: LoginNeeds): Promise<readonly SshKey[]> {
  const keys: SshKey[] = [];
  for (const name of ownKeys) {
    const path = join(needs.own.home, ".ssh", name);
    const file = await readKeyFile(path, needs.trace).catch((thrown) => {
      // Nobody named it: what is no key, or may not be read, is none of ours.
      if (isFault(thrown) && thrown.code !== "internal") return undefined;
      throw thrown;
    });
    if (file && !file.encrypted) keys.push({ from: path, text: file.text });
  }
  return keys;
}

/** Where there are other ways in, a locked vault does not bar them; people hear of it by its own banner. */
function orWithout({ trace }: LoginNeeds, others: boolean, reveal: () => Revealed | undefined): Revealed | undefined {
  try {
    return reveal();
  } catch (thrown) {
    if (!others || !isFault(thrown) || thrown.code !== "conflict") throw thrown;
    trace.info("logging in without a secret that does not open", { reason: thrown.message });
    return undefined;
  }
}

function ofVault(needs: LoginNeeds, machine: string, { value, from }: Revealed): SshKey {
  const looks = lookAtKey(value);
  if (looks.kind !== "private")
    throw new Fault("invalid", `${from} is no SSH private key`, { hint: setHint("ssh-key", machine) });
  // What came through a pipe may have lost its last newline, without which it is no key to some readers.
  const text = value.endsWith("\n") ? value : `${value}\n`;
  return withPassphrase(needs, machine, from, { text, encrypted: looks.encrypted });
}

function withPassphrase({ vault }: LoginNeeds, machine: string, from: string, { text, encrypted }: KeyFile): SshKey {
  if (!encrypted) return { from, text };
  const passphrase = vault.reveal(machine, "ssh-key-passphrase")?.value;
  if (passphrase !== undefined) return { from, text, passphrase: oneLine(passphrase) };
  throw new Fault("missing", `the key ${from} has a passphrase, and the vault does not have it`, {
    hint: setHint("ssh-key-passphrase", machine),
  });
}

function missingKey(machine: string, key: string, path: string): Fault {
  const hint = key.startsWith("~")
    ? "A path in the lab is absolute or relative to the lab's folder: ~ is not read as your home."
    : `Make it (ssh-keygen -t ed25519 -f '${path}'), or leave \`key\` out and put one into the vault: fed credential set ssh-key --machine ${machine}`;
  return new Fault("missing", `the key of ${machine} is not there: ${path}`, { hint });
}

const setHint = (name: string, machine: string) => `fed credential set ${name} --machine ${machine}`;

/** What was typed or piped in, without the end of its line. */
const oneLine = (text: string) => text.replace(/\r?\n$/, "");
