import { Console } from "node:console";
import { Wrong } from "./answer.ts";

// Node's permission model has gaps: `process.kill` works under it, and what it forgets it allows. A lab is data, so it gets
// the language itself and little more; nothing of Node.js is within its reach.

/** Beyond ECMAScript's own. */
const kept = [
  ...["URL", "URLSearchParams", "TextEncoder", "TextDecoder", "structuredClone", "atob", "btoa", "queueMicrotask"],
  ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"],
  ...["AbortController", "AbortSignal", "Event", "EventTarget", "DOMException"],
];

const language = [
  ...["globalThis", "Infinity", "NaN", "undefined", "eval", "isFinite", "isNaN", "parseFloat", "parseInt", "decodeURI"],
  ...["decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape", "AggregateError", "Array"],
  ...["ArrayBuffer", "AsyncDisposableStack", "Atomics", "BigInt", "BigInt64Array", "BigUint64Array", "Boolean"],
  ...["DataView", "Date", "DisposableStack", "Error", "EvalError", "FinalizationRegistry", "Float16Array"],
  ...["Float32Array", "Float64Array", "Function", "Int8Array", "Int16Array", "Int32Array", "Intl", "Iterator", "JSON"],
  ...[
    "Map",
    "Math",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Set",
  ],
  ...["SharedArrayBuffer", "String", "SuppressedError", "Symbol", "SyntaxError", "Temporal", "TypeError", "URIError"],
  ...["Uint8Array", "Uint8ClampedArray", "Uint16Array", "Uint32Array", "WeakMap", "WeakRef", "WeakSet"],
];

const network = ["fetch", "WebSocket", "EventSource"];

/** Of `process`: what people call in scripts; each says that a lab may not. */
const deeds = [
  ...["exit", "abort", "kill", "chdir", "binding", "dlopen", "getBuiltinModule", "reallyExit", "execve", "umask"],
  ...["setuid", "setgid", "on", "once", "emit", "nextTick", "loadEnvFile", "_debugProcess", "_kill", "_linkedBinding"],
];

/** Takes everything of Node.js out of the global scope. `write` gets what the lab prints. */
export function removeSurroundings(folder: string, write: (text: string) => void): void {
  const stream = makeStream(write);
  const replacements = {
    ...Object.fromEntries(network.map((name) => [name, deny(`A lab cannot open network connections (${name}).`)])),
    console: new Console({ stdout: stream, stderr: stream, ignoreErrors: false }),
    process: {
      ...Object.fromEntries(deeds.map((name) => [name, deny(`A lab cannot call process.${name}.`)])),
      ...{ env: {}, argv: [], execArgv: [], platform: process.platform, arch: process.arch, version: process.version },
      ...{ versions: { node: process.versions.node }, cwd: () => folder, stdout: stream, stderr: stream },
    },
  };
  const stays = new Set<string | symbol>([...language, ...kept, Symbol.toStringTag]);
  for (const name of Reflect.ownKeys(globalThis)) {
    if (!stays.has(name)) Reflect.deleteProperty(globalThis, name);
  }
  for (const [name, value] of Object.entries(replacements)) {
    Reflect.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
}

function makeStream(write: (text: string) => void): NodeJS.WritableStream {
  const stream = {
    write(text: unknown) {
      write(String(text));
      return true;
    },
  };
  return stream as NodeJS.WritableStream;
}

function deny(message: string): () => never {
  // A function of the old kind, so that `new WebSocket()` gets the same words.
  return function denied(): never {
    throw new Wrong("denied", message, "A lab is data: it only says what is wanted.");
  };
}
