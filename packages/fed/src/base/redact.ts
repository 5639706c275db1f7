import type { Trace } from "./trace.ts";

/**
 * Takes secrets out of texts that are kept or shown. One for a hub; whoever opens a secret makes it known here. It is the second line:
 * nobody writes a secret anywhere, but a program may say one in what it prints, and a library in what it throws.
 */
export interface Redactor {
  /** From now on no text that passes has this value in it. `name` stands in its place. */
  know(name: string, value: string): void;
  /** The text with every value that is known replaced. The same text when there is none in it. */
  redact(text: string): string;
  /** Every text in plain data, keys as they are. The same data when nothing is in it. */
  redactIn<T>(data: T): T;
}

/** Shorter ones stand in half of all texts. */
const shortest = 6;
/** Of a value with several lines: a short line may be said by anybody, such as `listen 80;`. */
const shortestLine = 12;
/** A plain word or number may be said by anybody as well, and be the name of a service: `postgres`, `86400000`. */
const common = /^(?:[A-Za-z-]{1,15}|\d{1,9})$/;
/** More would make every text slow; the newest count. */
const mostForms = 10_000;

export function makeRedactor(): Redactor {
  /** By the form in which a value may stand in a text: what to write in its place. */
  const forms = new Map<string, string>();
  let pattern: RegExp | undefined;
  const redact = (text: string) => {
    if (forms.size === 0 || text.length < shortest) return text;
    pattern ??= patternOf(forms.keys());
    return text.replace(pattern, (found) => forms.get(found) ?? "");
  };
  return {
    know(name, value) {
      for (const form of formsOf(value)) {
        // Known again counts as new.
        forms.delete(form);
        forms.set(form, `[secret ${name}]`);
      }
      for (const form of forms.keys()) {
        if (forms.size <= mostForms) break;
        forms.delete(form);
      }
      pattern = undefined;
    },
    redact,
    redactIn: (data) => (forms.size === 0 ? data : redactIn(data, redact)),
  };
}

/**
 * The value, the password of a URL and the lines of one that has several, for output comes line by line: each in the forms in which
 * programs write texts down.
 */
function formsOf(value: string): ReadonlySet<string> {
  const whole = value.trim();
  const isTelling = (text: string) => text.length >= shortest && !common.test(text);
  const lines = whole.split("\n").map((line) => line.trim());
  const long = lines.filter((line) => line.length >= shortestLine && isTelling(line));
  const plain = [whole, ...passwordIn(whole)].filter(isTelling);
  return new Set([
    ...[...plain, ...long].flatMap((text) => [
      ...[text, ...urlForms(text), ...jsonForms(text), ...pageForms(text), shellForm(text)],
    ]),
    ...plain.flatMap(base64Forms),
  ]);
}

/** As it stands there, and as it is meant: `postgres://ada:p%40ss@db/blog`. */
function passwordIn(text: string): readonly string[] {
  const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]*?:([^/?#\s]*)@/i.exec(text) ?? [];
  if (password === undefined) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

function urlForm(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Encoders leave more or fewer signs as they are, write codes in small letters, and forms a blank as a plus. */
function urlForms(text: string): readonly string[] {
  const strict = urlForm(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ "": text.toWellFormed() }).toString().slice(1);
  const whole = [urlForm(text), strict, form];
  const upper = [...whole, ...whole.map((one) => one.replaceAll("%2F", "/"))];
  return [...upper, ...upper.map((one) => one.replace(/%../g, (code) => code.toLowerCase()))];
}

/** As JavaScript writes it, PHP, Python and Go: they escape more. */
function jsonForms(text: string): readonly string[] {
  const own = JSON.stringify(text).slice(1, -1);
  const code = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const slashes = own.replaceAll("/", "\\/");
  return [
    own,
    slashes,
    ...[own, slashes].map((form) => form.replace(/[^\0-\x7f]/g, code)),
    own.replace(/[<>&]/g, code),
  ];
}

/** As pages have it, with the names and the numbers of signs that are in use. */
function pageForms(text: string): readonly string[] {
  const written = (quote: string, apostrophe: string) =>
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', quote)
      .replaceAll("'", apostrophe);
  return [
    ...[written("&quot;", "&#39;"), written("&quot;", "&#x27;"), written("&#34;", "&#39;"), written("&quot;", "'")],
    written('"', "'"),
  ];
}

/** Between single quotes of a shell. */
function shellForm(text: string): string {
  return text.replaceAll("'", "'\\''");
}

/** What is the same in each encoding of a text that has this in it: it begins at one of three places of a group. */
function base64Forms(text: string): readonly string[] {
  const bytes = new TextEncoder().encode(text);
  return [0, 1, 2].flatMap((shift) => {
    const shifted = new Uint8Array(shift + bytes.length);
    shifted.set(bytes, shift);
    const core = (alphabet: "base64" | "base64url") =>
      shifted.toBase64({ alphabet }).slice(Math.ceil((shift * 8) / 6), Math.floor((shifted.length * 8) / 6));
    return [core("base64"), core("base64url")].filter(({ length }) => length > shortest);
  });
}

/** The longest first, so that no rest of one that begins with another stays. */
function patternOf(forms: Iterable<string>): RegExp {
  const byLength = [...forms].sort((a, b) => b.length - a.length);
  return new RegExp(byLength.map((form) => RegExp.escape(form)).join("|"), "g");
}

function redactIn<T>(data: T, redact: (text: string) => string): T;
function redactIn(data: unknown, redact: (text: string) => string): unknown {
  if (typeof data === "string") return redact(data);
  if (typeof data !== "object" || data === null) return data;
  let changed = false;
  const inside = (value: unknown) => {
    const clean = redactIn(value, redact);
    changed ||= clean !== value;
    return clean;
  };
  const copy = Array.isArray(data)
    ? data.map(inside)
    : Object.fromEntries(Object.entries(data).map(([key, value]) => [key, inside(value)]));
  return changed ? copy : data;
}

/** A diary in which nothing stands that the redactor knows. */
export function redactedTrace(trace: Trace, redactor: Redactor): Trace {
  const at =
    (level: keyof Trace): Trace["info"] =>
    (message, facts) =>
      trace[level](redactor.redact(message), facts && redactor.redactIn(facts));
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
