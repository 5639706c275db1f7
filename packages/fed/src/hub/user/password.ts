import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Fault } from "#base/fault.ts";

/** Memory in KiB and passes: what OWASP asks for at least, about 30 ms here. Kept with each hash, so that they can grow. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const tagBytes = 32;

/** Each takes 19 MiB while it runs. */
const atOnce = 2;
const mostWaiting = 20;

/** Of node:crypto, off the main thread. */
type Derive = (algorithm: "argon2id", parameters: Argon2Parameters) => Promise<Buffer>;

export interface Passwords {
  /** As `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. Fault `limited` when too many wait. */
  hash(password: string): Promise<string>;
  /**
   * Whether it is the one. Takes as long when there is none to compare with (`undefined`), so that the time does not
   * tell which accounts exist.
   */
  verify(password: string, stored: string | undefined): Promise<boolean>;
}

interface Parsed {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** What is compared with when there is no account: nobody's. */
const nobodys: Parsed = { ...cost, salt: randomBytes(16), tag: randomBytes(tagBytes) };

export function openPasswords(derive: Derive = promisify(argon2)): Passwords {
  const turn = makeTurn();
  const run = (password: string, { memory, passes, parallelism, salt }: Omit<Parsed, "tag">) =>
    turn(() =>
      derive("argon2id", {
        // One keyboard writes é as one letter, another one as two.
        message: password.normalize("NFKC"),
        ...{ nonce: salt, tagLength: tagBytes, memory, passes, parallelism },
      }),
    );
  return {
    async hash(password) {
      const salt = randomBytes(16);
      const tag = await run(password, { ...cost, salt });
      const { memory, passes, parallelism } = cost;
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(salt)}$${text(tag)}`;
    },
    async verify(password, stored) {
      const parsed = stored === undefined ? nobodys : parse(stored);
      const tag = await run(password, parsed);
      return timingSafeEqual(tag, parsed.tag) && stored !== undefined;
    },
  };
}

const text = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");

function parse(stored: string): Parsed {
  const [, memory, passes, parallelism, salt = "", tag = ""] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/.exec(stored) ?? [];
  if (memory === undefined) throw new Fault("internal", "a stored password is none of argon2id");
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

/** So many at once, the others wait, and who comes when too many wait is sent away. */
function makeTurn() {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting) {
        throw new Fault("limited", "too many people are signing in", {
          hint: "Try again in a few seconds.",
          details: { retryAfterSeconds: 3 },
        });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
