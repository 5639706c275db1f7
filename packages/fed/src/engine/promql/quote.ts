/** Where the text of a string cannot be read: an index into what stands between the quotes. */
export type Unquoted =
  | { readonly kind: "text"; readonly value: string }
  | {
      readonly kind: "bad";
      readonly index: number;
      readonly length: number;
      readonly words: string;
      readonly hint?: string;
    };

const simple: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

const coded: Readonly<Record<string, RegExp>> = {
  x: /x([0-9a-fA-F]{2})/y,
  u: /u([0-9a-fA-F]{4})/y,
  U: /U([0-9a-fA-F]{8})/y,
};

const octal = /([0-7]{3})/y;

/**
 * Resolves the escapes of Go's strings in what stands between the quotes `quote`. `\xc5` and `\305` are bytes; those that do not make
 * up UTF-8 become lone surrogates, U+DC00 plus the byte, so that no two strings become one and `isWellFormed` tells.
 */
export function unquote(body: string, quote: string): Unquoted {
  if (!body.isWellFormed()) return bad(body.search(/\p{Surrogate}/u), 1, "this character is not valid Unicode");
  if (!body.includes("\\")) return { kind: "text", value: body };
  let value = "";
  let bytes: number[] = [];
  for (let i = 0; i < body.length; ) {
    const char = body[i] as string;
    const read = char === "\\" ? readEscape(body, i + 1, quote) : { kind: "text" as const, value: char, length: 0 };
    if (read.kind === "bad") return read;
    if (read.kind === "byte") bytes.push(read.value);
    else {
      value += fromBytes(bytes) + read.value;
      bytes = [];
    }
    i += 1 + read.length;
  }
  return { kind: "text", value: value + fromBytes(bytes) };
}

type Escape =
  | { readonly kind: "text"; readonly value: string; readonly length: number }
  | { readonly kind: "byte"; readonly value: number; readonly length: number }
  | Extract<Unquoted, { kind: "bad" }>;

/** The escape whose letter after the backslash is at `index`. */
function readEscape(body: string, index: number, quote: string): Escape {
  const letter = body[index] ?? "";
  const one = letter === quote ? quote : Object.hasOwn(simple, letter) ? simple[letter] : undefined;
  if (one !== undefined) return { kind: "text", value: one, length: 1 };
  const pattern = Object.hasOwn(coded, letter) ? (coded[letter] as RegExp) : /[0-7]/.test(letter) ? octal : undefined;
  if (pattern === undefined) {
    return bad(
      index - 1,
      2,
      `\\${letter} is no escape`,
      "Write \\\\ for a backslash, or put the text between `backticks`.",
    );
  }
  pattern.lastIndex = index;
  const digits = pattern.exec(body)?.[1];
  if (digits === undefined) return bad(index - 1, 2, `too few digits after \\${letter}`);
  const code = Number.parseInt(digits, pattern === octal ? 8 : 16);
  const length = digits.length + (pattern === octal ? 0 : 1);
  if (pattern === octal && code > 255) return bad(index - 1, 4, `\\${digits} is more than a byte`);
  if (pattern === octal || letter === "x") return { kind: "byte", value: code, length };
  const valid = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  if (!valid) return bad(index - 1, length + 1, `\\${letter}${digits} is no Unicode character`);
  return { kind: "text", value: String.fromCodePoint(code), length };
}

function bad(index: number, length: number, words: string, hint?: string): Extract<Unquoted, { kind: "bad" }> {
  return { kind: "bad", index, length, words, ...(hint !== undefined && { hint }) };
}

function fromBytes(bytes: readonly number[]): string {
  if (bytes.length === 0) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      text += decoder.decode(Uint8Array.from(bytes.slice(i, i + length)));
      i += length;
    } catch {
      text += String.fromCharCode(0xdc00 + lead);
      i++;
    }
  }
  return text;
}

const short: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** A string between double quotes, with escapes for what is not printed: the text that `unquote` reads again. */
export function quote(text: string): string {
  return `"${text.replaceAll(/["\\]|[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/gu, escapeOne)}"`;
}

function escapeOne(char: string): string {
  if (Object.hasOwn(short, char)) return short[char] as string;
  const code = char.codePointAt(0) as number;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, length: number): string {
  return code.toString(16).padStart(length, "0");
}
