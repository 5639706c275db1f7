import { createHash } from "node:crypto";
import ssh2, { type AnyAuthMethod, type ParsedKey } from "ssh2";
import type { SshKey, SshLogin } from "#port/shell.ts";

/** One way to log in: what it is called in messages, and what the server must allow for it. */
interface Way {
  readonly words: string;
  readonly kind: "publickey" | "password" | "keyboard-interactive";
  readonly method: AnyAuthMethod;
}

export interface LoginWays {
  /** The next one to try of those that the server allows; undefined: none is left. */
  next(allowed: readonly string[] | null): AnyAuthMethod | undefined;
  /** Ways that were tried so far. */
  readonly tried: readonly string[];
  /** What cannot be tried, and why. */
  readonly notes: readonly string[];
}

/** All ways to log in, in their order: keys, agent, password. Which ones are of use the server says before the first is tried. */
export function waysOf(login: SshLogin): LoginWays {
  const notes: string[] = [];
  const ways: Way[] = login.keys.flatMap((key) => {
    const parsed = parseOnce(key);
    if (parsed instanceof Error) notes.push(`the key ${key.from} cannot be used: ${whyNot(parsed, key)}`);
    return parsed instanceof Error ? [] : [keyWay(login, key, parsed)];
  });
  if (login.agent !== undefined) ways.push(agentWay(login, login.agent));
  if (login.password !== undefined) ways.push(...passwordWays(login, login.password));
  const tried: string[] = [];
  return {
    ...{ notes, tried },
    next(allowed) {
      const index = ways.findIndex(({ kind }) => allowed === null || allowed.includes(kind));
      const [way] = index < 0 ? [] : ways.splice(index, 1);
      if (way !== undefined && !tried.includes(way.words)) tried.push(way.words);
      return way?.method;
    },
  };
}

function keyWay({ user: username }: SshLogin, { from }: SshKey, key: ParsedKey): Way {
  return { words: `the key ${from}`, kind: "publickey", method: { type: "publickey", username, key } };
}

function agentWay({ user: username }: SshLogin, agent: string): Way {
  return { words: "the keys of the SSH agent", kind: "publickey", method: { type: "agent", username, agent } };
}

/** A server may ask for it as such, or have a program ask for it. */
function passwordWays({ user: username }: SshLogin, password: string): readonly Way[] {
  let asked = 0;
  return [
    { words: "the password", kind: "password", method: { type: "password", username, password } },
    {
      words: "the password",
      kind: "keyboard-interactive",
      method: {
        type: "keyboard-interactive",
        username,
        // What is typed in the open is no password. Asked over and over it is the wrong one.
        prompt: (_name, _instructions, _language, prompts, finish) => {
          asked += prompts.length;
          finish(prompts.map(({ echo }) => (echo === true || asked > 5 ? "" : password)));
        },
      },
    },
  ];
}

const parsedKeys = new Map<string, ParsedKey | Error>();
const parsedAtMost = 64;

/** Remembered, as opening an encrypted key takes a good part of a second of work. */
function parseOnce({ text, passphrase }: SshKey): ParsedKey | Error {
  const id = createHash("sha256")
    .update(JSON.stringify([text, passphrase]))
    .digest("base64");
  const known = parsedKeys.get(id);
  if (known !== undefined) return known;
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  // It answers a list where a file could hold several.
  const [first] = Array.isArray(parsed) ? parsed : [parsed];
  const key = isPrivate(first) ? first : first instanceof Error ? first : new Error("it is no private key");
  const [oldest] = parsedKeys.size >= parsedAtMost ? parsedKeys.keys() : [];
  if (oldest !== undefined) parsedKeys.delete(oldest);
  parsedKeys.set(id, key);
  return key;
}

function isPrivate(key: unknown): key is ParsedKey {
  return typeof key === "object" && key !== null && "isPrivateKey" in key && (key as ParsedKey).isPrivateKey();
}

function whyNot({ message }: Error, { passphrase }: SshKey): string {
  if (/no passphrase/i.test(message)) return "it is encrypted, and there is no passphrase for it";
  if (passphrase !== undefined && /passphrase|decrypt|integrity/i.test(message)) return "the passphrase is wrong";
  return "it is no private key that fed can read";
}
