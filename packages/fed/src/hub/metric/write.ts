import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { ExpositionFormat } from "#engine/exposition/text.ts";
import type { CallContext, HandlersOf, SentBytes } from "#wire/handler.ts";
import type { Kept, Sent } from "./thread-message.ts";
import type { Metrics } from "./verbs.ts";

/** So long a sender may wait before it tries again. */
const retryAfterSeconds = 5;

/** The doors by which samples come. */
export function writeHandlers(needs: {
  readonly metrics: Metrics;
  readonly clock: Clock;
}): HandlersOf<"remoteWrite" | "importText" | "importSamples"> {
  const { metrics, clock } = needs;
  return {
    async remoteWrite(_input, context) {
      const { bytes } = requireWriteRequest(context);
      return answer(await keep(metrics, { kind: "write", bytes }, context), context);
    },
    async importText(_input, context) {
      const sent = { ...requireText(context), timeMs: clock.nowMs() };
      return answer(await keep(metrics, sent, context), context);
    },
    async importSamples({ line }, context) {
      const sent = { ...requireText(context), timeMs: undefined, firstLine: line };
      const { added, same, refused, words } = await metrics.keep(sent, context.actor);
      return { added, same, refused, reasons: [...words] };
    },
  };
}

function requireWriteRequest(context: CallContext): SentBytes {
  const sent = requireEncoding(context, "snappy");
  const { type, parameters } = sent;
  const [, version = "prometheus.WriteRequest"] = /(?:^|;)\s*proto="?([\w.]+)"?\s*(?:;|$)/.exec(parameters) ?? [];
  const good = (type === "application/x-protobuf" || type === "") && version === "prometheus.WriteRequest";
  if (good) return sent;
  throw unreadable(`a body of the type ${type}${version === "" ? "" : ` (${version})`} is not taken`, {
    hint: "Send application/x-protobuf with prometheus.WriteRequest, the protocol's version 1.0.",
  });
}

function requireText(context: CallContext) {
  const { bytes, type } = requireEncoding(context, "identity");
  const format: ExpositionFormat = type === "application/openmetrics-text" ? "openmetrics" : "text";
  return { kind: "text", bytes, format } as const;
}

function requireEncoding({ sent }: CallContext, encoding: string): SentBytes {
  if (sent === undefined) throw new TypeError("the endpoint takes no bytes");
  if (sent.encoding === "" || sent.encoding === encoding) return sent;
  throw unreadable(`a body of the encoding ${sent.encoding} is not taken`, { hint: `Send it as ${encoding}.` });
}

/** 415: a sender that has another form tries that one. */
function unreadable(message: string, { hint }: { readonly hint: string }): Fault {
  return new Fault("invalid", message, { hint, details: { status: 415 } });
}

/**
 * Senders drop what is answered with 4xx, so that is for what the samples themselves are at fault; whatever the store suffers from,
 * they try again. So they do after a defect, which is answered and written to the diary as everywhere.
 */
async function keep(metrics: Metrics, sent: Sent, { actor }: CallContext): Promise<Kept> {
  try {
    return await metrics.keep(sent, actor);
  } catch (thrown) {
    const { code, message, hint } = toFault(thrown);
    if (code === "invalid" || code === "internal") throw thrown;
    throw new Fault("unreachable", message, { hint, cause: thrown, details: { retryAfterSeconds } });
  }
}

/** Says no when it was not all kept: who sends must not believe that it is here. */
function answer({ added, same, refused, words }: Kept, { tell }: CallContext): string {
  tell({
    "x-prometheus-remote-write-samples-written": String(added + same),
    "x-prometheus-remote-write-histograms-written": "0",
    "x-prometheus-remote-write-exemplars-written": "0",
  });
  const [first] = words;
  if (first === undefined) return "";
  const count = `${refused} of what came ${refused === 1 ? "is" : "are"} not kept`;
  throw new Fault("invalid", `${count}, the rest is: ${first}`, { details: { refused, words } });
}
