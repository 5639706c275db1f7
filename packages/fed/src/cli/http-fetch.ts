import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { systemClock, type Timer } from "#base/clock.ts";
import type { Answer, Fetch } from "#wire/client.ts";

/** So long nothing may come before the answer, nor in the middle of one that is read to its end. */
const silenceMs = 300_000;

/**
 * One request, as `fetch` does it with `redirect: "error"`, by Node's own client: the start of a command is a fifth of a second, and
 * a quarter of that would go to loading `fetch`.
 */
export const httpFetch: Fetch = async (url, { method, headers, body, signal }) => {
  // Not imported: that reads all names of the module, and those of its WebSocket load the whole of `fetch`.
  const { request } = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  const told = { "user-agent": "fed", ...headers, ...length };
  const outgoing = request(url, { method, headers: told, ...(signal ? { signal } : {}) });
  // What breaks later is told to who reads the answer.
  outgoing.on("error", () => {});
  // Who answers in another protocol (101) ends it without an error.
  const closed = once(outgoing, "close").then(() => Promise.reject(new Error("it ended without an answer")));
  const answered = Promise.race([once(outgoing, "response"), closed]);
  const timer = breakOffLater(outgoing);
  outgoing.end(body);
  const [incoming] = (await answered.finally(() => timer.cancel())) as [IncomingMessage];
  const { statusCode: status = 0 } = incoming;
  if (status >= 300 && status < 400) {
    outgoing.destroy();
    throw new Error(`it leads elsewhere: ${incoming.headers.location ?? `status ${status}`}`);
  }
  return answerOf(incoming, status);
};

function breakOffLater(connection: { destroy(error: Error): unknown }): Timer {
  return systemClock.after(silenceMs, () => connection.destroy(new Error(`nothing came for ${silenceMs / 1000} s`)));
}

function answerOf(incoming: IncomingMessage, status: number): Answer {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer<ArrayBuffer>>;
  return {
    ok: status >= 200 && status < 300,
    status,
    async text() {
      const read: Buffer[] = [];
      let timer = breakOffLater(incoming);
      try {
        for await (const chunk of incoming) {
          read.push(chunk);
          timer.cancel();
          timer = breakOffLater(incoming);
        }
      } finally {
        timer.cancel();
      }
      return Buffer.concat(read).toString();
    },
    body: {
      getReader: () => ({
        read: async () => {
          const { done = false, value } = await chunks.next();
          return done ? { done } : { done, value };
        },
        cancel: async () => void incoming.destroy(),
      }),
    },
  };
}
