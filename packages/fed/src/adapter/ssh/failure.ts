/** What went wrong on the way, in words: what happened, and what to do next. */
import { Fault } from "#base/fault.ts";
import type { HostKey, SshLogin } from "#port/shell.ts";

/** `node5 (192.168.1.5)`, with the port when it is not 22. */
function placeOf({ machine, host, port }: SshLogin): string {
  const at = host.includes(":") ? `[${host}]` : host;
  return `${machine} (${port === 22 ? host : `${at}:${port}`})`;
}

interface NetworkTrouble {
  readonly said: string;
  readonly hint: string;
}

const network: Readonly<Record<string, NetworkTrouble>> = {
  ECONNREFUSED: { said: "refuses connections", hint: "Does sshd run there, and on this port?" },
  ECONNRESET: { said: "hung up", hint: "Look into the log of its sshd." },
  EHOSTUNREACH: { said: "is not on the network", hint: "Is it on, and is the address right?" },
  EHOSTDOWN: { said: "is not on the network", hint: "Is it on, and is the address right?" },
  ENETUNREACH: { said: "cannot be reached from here", hint: "Is this machine on the network?" },
  ETIMEDOUT: { said: "does not answer", hint: "Is it on, and is the address right?" },
  ENOTFOUND: { said: "has a host name that nobody knows", hint: "Write its IP address, or mend the name." },
  EAI_AGAIN: { said: "has a host name that could not be looked up", hint: "Does the DNS server answer?" },
  EACCES: { said: "may not be connected to", hint: "Does a firewall of this machine forbid it?" },
};

/** Of a socket, or of a handshake that went wrong. */
export function connectFault(login: SshLogin, thrown: unknown): Fault {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const known = network[code];
  if (known !== undefined) {
    return new Fault("unreachable", `${placeOf(login)} ${known.said}`, { hint: known.hint, cause: error });
  }
  if (/before handshake/i.test(error.message)) {
    return new Fault("unreachable", `${placeOf(login)} hung up before it said who it is`, {
      ...{ hint: "Is that the port of an SSH server, and does it let this address in?", cause: error },
    });
  }
  return new Fault("unreachable", `${placeOf(login)} and fed do not understand each other: ${plain(error.message)}`, {
    cause: error,
  });
}

export function lateFault(login: SshLogin, limitMs: number): Fault {
  return new Fault("timeout", `${placeOf(login)} did not let us in within ${limitMs / 1_000} s`, {
    hint: "Is it on, and is the address right?",
  });
}

/** `tried` are the ways to log in that it refused, `notes` say what could not be tried. */
export function loginFault(login: SshLogin, tried: readonly string[], notes: readonly string[], left: string): Fault {
  const what = tried.length === 0 ? "there is no key and no password for it" : `it refuses ${tried.join(", ")}`;
  const also = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return new Fault("denied", `${login.user} may not log in to ${placeOf(login)}: ${what}${also}`, {
    hint: `${left === "" ? "" : `It lets in by ${left}. `}Put the public key into ~${login.user}/.ssh/authorized_keys there, or name another key or user.`,
  });
}

interface RefusedKey {
  readonly machine: string;
  readonly offered: HostKey;
  readonly known: readonly HostKey[];
}

/** Of the details of the Fault below. */
export function refusedKeyOf(details: unknown): RefusedKey | undefined {
  const is = typeof details === "object" && details !== null && "hostKey" in details;
  return is ? (details as unknown as RefusedKey) : undefined;
}

export function keyFault(login: SshLogin, offered: HostKey, known: readonly HostKey[]): Fault {
  const keys = known.map((key) => `${key.type} ${key.fingerprint}`).join(", ") || "none";
  return new Fault(
    "denied",
    `${placeOf(login)} shows another host key than the one it is known by: ${offered.type} ${offered.fingerprint}, known: ${keys}`,
    {
      hint: `If it was set up anew, compare the keys and accept this one: fed machine trust ${login.machine}. If not, somebody may stand in between.`,
      details: { hostKey: "changed", machine: login.machine, offered, known },
    },
  );
}

export function lostFault(machine: string, reason: string): Fault {
  return new Fault("unreachable", `the connection to ${machine} was lost: ${reason}`);
}

/** Of a channel that was opened: `lateMs` when its shell did not answer in that time, else it ended without an answer. */
export function startFault(
  { gone, login: { machine, user } }: { readonly gone: string | undefined; readonly login: SshLogin },
  said: string,
  lateMs: number | undefined,
): Fault {
  if (gone !== undefined) return lostFault(machine, gone);
  const words = plain(said) === "" ? "" : `; it says: ${plain(said)}`;
  if (lateMs !== undefined) {
    return new Fault("timeout", `${machine} started no shell for ${user} within ${lateMs / 1_000} s${words}`, {
      hint: `What does the login shell of ${user} do there when it starts (.bashrc)?`,
    });
  }
  return new Fault("denied", `${machine} starts no shell for ${user}${words}`, {
    hint: `Its login shell must be able to run "sh": look at the account of ${user} there.`,
  });
}

/** What a machine said, for people: without anything that a terminal obeys, and short. */
export function plain(text: string): string {
  const words = text
    .replaceAll(/\p{Cc}\[[0-9;?]*[ -/]*[@-~]/gu, "")
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim();
  return words.length > 200 ? `${words.slice(0, 200)}…` : words;
}
