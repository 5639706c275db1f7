/** A build's answer in lines for people, its last ones kept for who asks why it failed. */
import type { ImageProgress } from "#port/image.ts";
import { type BuildStatus, readBuildStatus } from "./buildkit-trace.ts";
import { isRecord, type JsonLine } from "./json-lines.ts";
import { cutLine } from "./transfer.ts";

export interface BuildNews {
  /** Takes a line of the answer; answers the id of the image when the line tells it. */
  take(line: JsonLine): string | undefined;
  /** The last lines, at most 16 KiB. */
  tail(): string;
}

const tailLimit = 16 * 1024;

export function makeBuildNews(onProgress: ImageProgress): BuildNews {
  const lines: string[] = [];
  let kept = 0;
  const say = (text: string) => {
    for (const raw of text.split(/\r?\n/)) {
      const line = cutLine(raw.slice(raw.lastIndexOf("\r") + 1).trimEnd());
      if (line === "") continue;
      onProgress(line);
      lines.push(line);
      kept += line.length + 1;
      while (kept > tailLimit) kept -= (lines.shift()?.length ?? kept) + 1;
    }
  };
  const trace = makeTraceNews(say);
  return {
    take({ id, aux, stream, status }) {
      if (typeof stream === "string") say(stream);
      else if (typeof status === "string") say(status);
      if (id === "moby.buildkit.trace" && typeof aux === "string") trace(readBuildStatus(aux));
      return isRecord(aux) && typeof aux.ID === "string" ? aux.ID : undefined;
    },
    tail: () => lines.join("\n"),
  };
}

/** Says each step once when it begins, what it prints, and how it ended if that is worth a line. */
function makeTraceNews(say: (text: string) => void): (status: BuildStatus) => void {
  const begun = new Set<string>();
  const ended = new Set<string>();
  const parts = new Map<string, string>();
  return ({ steps, logs }) => {
    for (const step of steps) {
      if (step.name === "" || !(step.started || step.cached)) continue;
      if (!begun.has(step.digest)) say(step.cached ? `${step.name} (cached)` : step.name);
      begun.add(step.digest);
    }
    for (const { step, text } of logs) {
      const all = (parts.get(step) ?? "") + text;
      const end = all.lastIndexOf("\n") + 1;
      say(all.slice(0, end));
      parts.set(step, all.slice(end).slice(-2_000));
    }
    for (const step of steps) {
      if (!step.ended || ended.has(step.digest)) continue;
      ended.add(step.digest);
      say(parts.get(step.digest) ?? "");
      parts.delete(step.digest);
      if (step.error !== "") say(`${step.name}: ${step.error}`);
    }
  };
}
