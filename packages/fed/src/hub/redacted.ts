import { Fault, isFault } from "#base/fault.ts";
import type { Redactor } from "#base/redact.ts";
import type { Api } from "#wire/api.ts";
import type { Answer } from "#wire/endpoint.ts";
import type { CallContext, Handlers } from "#wire/handler.ts";

type AnyHandler = (input: never, context: CallContext) => unknown;

/**
 * The same handlers, with what the redactor knows taken out of what they answer as data, and of every fault. Events are clean since
 * they were written; samples are numbers.
 */
export function redactedHandlers(api: Api, handlers: Handlers, redactor: Redactor): Handlers {
  const answers: Readonly<Record<string, { readonly answer: Answer }>> = api;
  const wrapped = Object.entries(handlers as unknown as Readonly<Record<string, AnyHandler>>).map(
    ([name, handler]): [string, AnyHandler] => [name, redacted(handler, answers[name]?.answer, redactor)],
  );
  return Object.fromEntries(wrapped) as unknown as Handlers;
}

function redacted(handler: AnyHandler, kind: Answer | undefined, redactor: Redactor): AnyHandler {
  const clean = (answer: unknown) => {
    if (kind === "one") return redactor.redactIn(answer);
    return kind === "many" ? cleanItems(answer as AsyncIterable<unknown>, redactor) : answer;
  };
  return (input, context) => {
    try {
      const answer = handler(input, context);
      if (!(answer instanceof Promise)) return clean(answer);
      return answer.then(clean, (thrown: unknown) => {
        throw cleanFault(thrown, redactor);
      });
    } catch (thrown) {
      throw cleanFault(thrown, redactor);
    }
  };
}

async function* cleanItems(items: AsyncIterable<unknown>, redactor: Redactor): AsyncIterable<unknown> {
  try {
    for await (const item of items) yield redactor.redactIn(item);
  } catch (thrown) {
    throw cleanFault(thrown, redactor);
  }
}

function cleanFault(thrown: unknown, { redact, redactIn }: Redactor): unknown {
  if (!isFault(thrown)) return thrown;
  const { code, message, hint, details, cause } = thrown;
  const clean = { message: redact(message), hint: hint && redact(hint), details: redactIn(details) };
  if (clean.message === message && clean.hint === hint && clean.details === details) return thrown;
  return new Fault(code, clean.message, { hint: clean.hint, details: clean.details, cause });
}
