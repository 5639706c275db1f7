import { untilAborted } from "#base/abort.ts";
import type { ExporterDoor, ScrapeFormat, ScrapeOutcome, ScrapeRequest } from "./exporter.ts";

/** What an exporter says: a text, a reason why there is none, or nothing until it is too late. */
export type FakeScrape =
  | string
  | { readonly text: string; readonly format: ScrapeFormat }
  | { readonly failed: string }
  | "hang";

/** Exporters in memory, by their URLs. */
export interface FakeExporters extends ExporterDoor {
  /** Every request, in the order they came. */
  readonly asked: readonly ScrapeRequest[];
  /** From now on this is what it says there; a function is asked each time. */
  answer(url: string, script: FakeScrape | (() => FakeScrape)): void;
}

export function makeFakeExporters(): FakeExporters {
  const asked: ScrapeRequest[] = [];
  const scripts = new Map<string, FakeScrape | (() => FakeScrape)>();
  const closing = new AbortController();

  function outcomeOf(said: Exclude<FakeScrape, "hang"> | undefined, request: ScrapeRequest): ScrapeOutcome {
    if (said === undefined) return { kind: "failed", reason: "connection refused" };
    if (typeof said !== "string" && "failed" in said) return { kind: "failed", reason: said.failed };
    const { text, format } = typeof said === "string" ? { text: said, format: "text" as const } : said;
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > request.bytes) return { kind: "failed", reason: "it sends too much" };
    return { kind: "answered", bytes, format };
  }

  return {
    name: "fake",
    asked,
    answer: (url, script) => void scripts.set(url, script),
    async fetch(request, signal) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      asked.push(request);
      const script = scripts.get(request.url);
      const said = typeof script === "function" ? script() : script;
      if (said === "hang") return await untilAborted(new Promise<never>(() => {}), signal);
      return outcomeOf(said, request);
    },
    async close() {
      closing.abort(new Error("closed"));
    },
  };
}
