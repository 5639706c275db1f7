import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import { type CodedError, failureWords, noteFailure } from "./failure.ts";
import { answerHeaders, answerTrailers, requestHeaders } from "./header.ts";
import { limit } from "./limit.ts";
import { type Answer, type Incoming, isSecure } from "./message.ts";
import { type PageReason, sendPage } from "./page.ts";
import { type LiveRoute, pickUpstream } from "./route.ts";
import type { Flight, Upstream } from "./upstream.ts";

/** What forwarding needs to know of the ingress. */
export interface ForwardNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  /** The route as of now: asked again before every attempt, so that none follows a table that was replaced. */
  route(request: Incoming): LiveRoute | undefined;
  /** Why there is no route. */
  explainNoRoute(request: Incoming): PageReason;
}

/** What became of an attempt: not allowed by the library, no connection, the connection closed before an answer, else. */
type Failure = "refused" | "unreached" | "lost" | "failed";

/** Methods that may be sent twice (RFC 9110 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/**
 * One request on its way: to an instance, to another one when that cannot be reached, and the answer back as it comes.
 * Nothing is buffered: both directions stop when their reader does. A client that leaves ends the instance's work.
 */
export class Exchange implements Flight, Dispatcher.DispatchHandler {
  seat = -1;
  readonly #request: Incoming;
  readonly #response: Answer;
  readonly #needs: ForwardNeeds;
  readonly #headers: string[];
  readonly #tried: Upstream[] = [];
  #upstream: Upstream | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #service = "";
  #attempts = 0;
  /** Until when it waits for other routes, since nobody of these can be reached any more. */
  #untilMs: number | undefined;
  /** A connection was lost before the answer once already. */
  #lostBefore = false;
  #bodyBegun = false;
  #flowing = false;
  #clientGone = false;
  #continueDue: boolean;

  private constructor(
    request: Incoming,
    response: Answer,
    needs: ForwardNeeds,
    headers: string[],
    continueDue: boolean,
  ) {
    this.#request = request;
    this.#response = response;
    this.#needs = needs;
    this.#headers = headers;
    this.#continueDue = continueDue;
  }

  /** Forwards the request. `continueDue`: its client waits for `100 Continue` before it sends the body. */
  static start(request: Incoming, response: Answer, needs: ForwardNeeds, continueDue: boolean): void {
    const headers = requestHeaders({
      rawHeaders: request.rawHeaders,
      host: request.headers.host ?? "",
      connection: request.headers.connection,
      remote: request.socket.remoteAddress ?? "",
      secure: isSecure(request.socket),
    });
    if (headers === undefined) {
      sendPage(request, response, { kind: "badRequest", reason: "It has more than one Host header." });
      return;
    }
    const exchange = new Exchange(request, response, needs, headers, continueDue);
    response.once("close", () => exchange.#leaveClient());
    exchange.#send();
  }

  cut(): void {
    this.#response.destroy();
    this.#leaveClient();
  }

  #leaveClient(): void {
    this.#clientGone = true;
    if (this.#upstream !== undefined) this.#controller?.abort(new Error("the client has left"));
  }

  /** Finds an upstream as the routes are now and sends the request there, or answers that there is none. */
  #send(): void {
    const route = this.#needs.route(this.#request);
    const upstream = route && pickUpstream(route, this.#tried, this.#needs.clock.tickMs());
    if (route === undefined) this.#answer(this.#needs.explainNoRoute(this.#request));
    else if (upstream === undefined) this.#answer({ kind: "noTargets", service: route.service });
    else this.#sendTo(upstream, route.service);
  }

  #sendTo(upstream: Upstream, service: string): void {
    this.#service = service;
    this.#attempts++;
    this.#controller = undefined;
    this.#upstream = upstream;
    upstream.enter(this);
    const { method = "GET", url = "/" } = this.#request;
    const body = hasBody(this.#request) ? Readable.from(this.#body()) : null;
    upstream.dispatch({ method, path: url, headers: this.#headers, body }, this);
  }

  /** The request's body, for one attempt. What is left when the instance wants no more is read to nowhere. */
  async *#body(): AsyncGenerator<Buffer, void> {
    this.#bodyBegun = true;
    try {
      for await (const chunk of this.#request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
      if (this.#clientGone || this.#request.stream?.closed) throw new Error("the client has left");
    } finally {
      this.#request.resume();
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#clientGone) controller.abort(new Error("the client has left"));
    else if (this.#continueDue) {
      this.#continueDue = false;
      this.#response.writeContinue();
    }
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    message?: string,
  ): void {
    if (status < 200) return;
    if (this.#upstream !== undefined) this.#upstream.hasAnswered = true;
    const raw = controller.rawHeaders as readonly Buffer[];
    this.#response.writeHead(status, message ?? "", answerHeaders(raw, String(headers.connection ?? "") || undefined));
    // The head goes alone when no body came with it, so that the client of an event stream sees it open.
    process.nextTick(() => {
      if (!this.#flowing && !this.#clientGone) this.#response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#flowing = true;
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: Record<string, string | string[] | undefined>): void {
    this.#flowing = true;
    this.#leaveUpstream();
    const lines = answerTrailers(trailers);
    if (lines.length > 0) this.#response.addTrailers(lines);
    this.#response.end();
    linger(this.#request, this.#needs.clock);
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: CodedError): void {
    const upstream = this.#leaveUpstream();
    if (this.#clientGone || upstream === undefined) return;
    if (this.#response.headersSent) {
      this.#response.destroy();
      return;
    }
    const failure = this.#failureOf(error);
    if (failure === "unreached") {
      upstream.avoidUntilMs = this.#needs.clock.tickMs() + limit.avoidMs;
      this.#tried.push(upstream);
    }
    if (!this.#mayTryAgain(failure)) {
      if (this.#mayWait(failure, upstream)) this.#waitForOthers(() => this.#giveUp(upstream, error));
      else this.#giveUp(upstream, error);
      return;
    }
    // A connection the instance had closed under us is seldom alone: the next attempt gets a fresh one.
    if (failure === "lost") upstream.letGo();
    this.#lostBefore ||= failure === "lost";
    this.#send();
  }

  #failureOf({ code = "" }: CodedError): Failure {
    if (code === "UND_ERR_INVALID_ARG") return "refused";
    if (this.#controller === undefined) return "unreached";
    return connectionLost.has(code) ? "lost" : "failed";
  }

  #mayTryAgain(failure: Failure): boolean {
    if (this.#bodyBegun || this.#attempts >= limit.attempts) return false;
    if (failure === "lost") return !this.#lostBefore && idempotent.has(this.#request.method ?? "");
    if (failure !== "unreached") return false;
    const now = this.#needs.route(this.#request);
    return now === undefined || now.upstreams.some((upstream) => !this.#tried.includes(upstream));
  }

  /**
   * Who answered before and is not there now has just ended: whoever looks after it is about to lead elsewhere. Before a container an
   * engine's proxy may take the connection still, and lose it.
   */
  #mayWait(failure: Failure, upstream: Upstream): boolean {
    const isGone = failure === "unreached" || (failure === "lost" && idempotent.has(this.#request.method ?? ""));
    if (this.#bodyBegun || !isGone || !upstream.hasAnswered) return false;
    if (!this.#tried.includes(upstream)) this.#tried.push(upstream);
    this.#untilMs ??= this.#needs.clock.tickMs() + limit.otherRoutesMs;
    return true;
  }

  #waitForOthers(giveUp: () => void): void {
    const { clock, route } = this.#needs;
    clock.after(limit.otherRoutesLookMs, () => {
      if (this.#clientGone) return;
      const others = route(this.#request)?.upstreams.some((upstream) => !this.#tried.includes(upstream));
      if (others) {
        this.#attempts = 0;
        this.#send();
      } else if (clock.tickMs() < (this.#untilMs ?? 0)) this.#waitForOthers(giveUp);
      else giveUp();
    });
  }

  #giveUp(upstream: Upstream, error: CodedError): void {
    if (error.code === "UND_ERR_INVALID_ARG") {
      this.#answer({ kind: "badRequest", reason: error.message });
      return;
    }
    noteFailure(this.#needs, this.#service, upstream, error);
    const kind = tooSlow.has(error.code ?? "") ? "tooSlow" : "noAnswer";
    this.#answer({ kind, service: this.#service, reason: failureWords(error) });
  }

  /** The ingress' own page as the answer. */
  #answer(reason: PageReason): void {
    sendPage(this.#request, this.#response, reason);
    linger(this.#request, this.#needs.clock);
  }

  #leaveUpstream(): Upstream | undefined {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.leave(this);
    return upstream;
  }
}

const tooSlow: ReadonlySet<string> = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_CONNECT_TIMEOUT"]);
const connectionLost: ReadonlySet<string> = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** Whether a body follows the head (RFC 9112 6.3). */
export function hasBody(request: Incoming): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** The answer is given. An upload that still comes is read to nowhere, and not for ever. */
function linger(request: Incoming, clock: Clock): void {
  if (request.complete || !hasBody(request)) return;
  request.resume();
  const timer = clock.after(limit.lingerMs, () => request.destroy());
  request.once("close", () => timer.cancel());
}
