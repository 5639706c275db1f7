import { Fault, isFault } from "#base/fault.ts";
import { type Client, type Fetch, makeClient } from "#wire/client.ts";
import { httpFetch } from "./http-fetch.ts";

/** Where to ask, and what proves who asks. */
export interface Way {
  readonly url: string;
  readonly token: string | undefined;
  /** Another token when the hub refuses this one; undefined when there is none. Left out: this one or none. */
  readonly renew?: () => Promise<string | undefined>;
}

/**
 * A client that looks for its way before every request, because a hub that was restarted may answer elsewhere and a
 * token ends. A token that is refused though it looked good (the hub has a new key, a clock is wrong) is exchanged once.
 * `onLetIn`: the hub at this address has let a request in; on a stream, before its first item.
 */
export function clientOf(find: () => Promise<Way>, onLetIn: (url: string) => void = () => {}): Client {
  return {
    async call(endpoint, input, signal) {
      const one = (client: Client) => once(() => client.call(endpoint, input, signal));
      for await (const answer of tryTwice(await find(), onLetIn, one)) return answer;
      throw new TypeError("a call has no answer");
    },
    async send(endpoint, input, sent, signal) {
      const one = (client: Client) => once(() => client.send(endpoint, input, sent, signal));
      for await (const answer of tryTwice(await find(), onLetIn, one)) return answer;
      throw new TypeError("a call has no answer");
    },
    async *stream(endpoint, input, signal) {
      yield* tryTwice(await find(), onLetIn, (client) => client.stream(endpoint, input, signal));
    },
    async *events(endpoint, input, signal) {
      yield* tryTwice(await find(), onLetIn, (client) => client.events(endpoint, input, signal));
    },
  };
}

/** What fails after the hub has let it in is not tried again: some of it was done, or shown. */
async function* tryTwice<T>(
  { url, token, renew }: Way,
  onLetIn: (url: string) => void,
  use: (client: Client) => AsyncIterable<T>,
): AsyncIterable<T> {
  let letIn = false;
  const watched: Fetch = async (where, asked) => {
    const response = await httpFetch(where, asked);
    if (response.ok) {
      letIn = true;
      onLetIn(url);
    }
    return response;
  };
  const refused = (thrown: unknown) => !letIn && isFault(thrown) && thrown.code === "unauthenticated";
  try {
    return yield* use(makeClient({ url, token, fetch: watched }));
  } catch (thrown) {
    if (renew === undefined || !refused(thrown)) throw thrown;
  }
  const other = await renew();
  if (other === undefined) throw needsLogin(`you are not signed in at ${url}`, url);
  try {
    yield* use(makeClient({ url, token: other, fetch: watched }));
  } catch (thrown) {
    throw refused(thrown) ? needsLogin(`${url} refuses the sign-in that is kept here`, url, thrown) : thrown;
  }
}

async function* once<T>(work: () => Promise<T>): AsyncIterable<T> {
  yield await work();
}

function needsLogin(message: string, url: string, cause?: unknown): Fault {
  return new Fault("unauthenticated", message, { hint: `Sign in: fed login ${url}`, cause });
}
