import { isIP } from "node:net";
import { resolve } from "node:path";
import { Fault } from "#base/fault.ts";
import type { ValueSpec } from "./command.ts";
import { misspelt } from "./misspelling.ts";

/**
 * Checks one word of the command line. `name` is how the person knows it (`--port`, `FED_HUB`, `the argument lab`).
 * Throws Fault `invalid` that names it and says what would be right.
 */
export function checkValue(name: string, spec: ValueSpec, word: string, cwd: string): string | number {
  if (spec.kind === "word") return word;
  if (word === "") throw invalid(`${name} is empty`, `give it a value, or leave it out`);
  if (word.includes("\0")) throw invalid(`${name} holds a null character`, "no path or name can");
  switch (spec.kind) {
    case "file":
    case "folder":
      return resolve(cwd, word);
    case "port":
      return checkWhole(name, word, 0, 65_535, "a port is a whole number from 0 to 65535; 0 takes a free one");
    case "count":
      return checkWhole(name, word, spec.min, spec.max, `a whole number from ${spec.min} to ${spec.max}`);
    case "url":
      return checkUrl(name, word);
    case "host":
      return checkHost(name, word);
    case "choice":
      if (spec.of.includes(word)) return word;
      throw misspelt(
        `${name} cannot be ${JSON.stringify(word)}`,
        { typed: word, known: spec.of },
        `use ${listOf(spec.of)}`,
      );
    case "text":
    case "service":
    case "command":
      return word;
  }
}

function checkWhole(name: string, word: string, min: number, max: number, hint: string): number {
  const value = /^[0-9]{1,15}$/.test(word) ? Number(word) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalid(`${name} cannot be ${JSON.stringify(word)}`, hint);
}

export function checkUrl(name: string, word: string): string {
  const url = URL.parse(word);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw invalid(
      `${name} is not an http address: ${JSON.stringify(word)}`,
      "write it like http://hub.example.org:4747",
    );
  }
  if (url.username || url.password) {
    throw invalid(`${name} must not hold a user or password`, "put the token into FED_TOKEN");
  }
  if (url.search || url.hash) throw invalid(`${name} must end before ? and #`, `such as ${url.origin}`);
  return url.href.replace(/\/+$/, "");
}

function checkHost(name: string, word: string): string {
  const bare = word.startsWith("[") && word.endsWith("]") ? word.slice(1, -1) : word;
  if (isIP(bare)) return bare;
  if (/^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(word))
    return word;
  throw invalid(
    `${name} is not a host name or an IP address: ${JSON.stringify(word)}`,
    "such as 127.0.0.1 or localhost",
  );
}

/** `a, b or c`. */
function listOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function invalid(message: string, hint: string): Fault {
  return new Fault("invalid", message, { hint });
}
