/** Hears from the engine what happens to our containers, for as long as the runtime is open. */
import { constants } from "node:os";
import { sleep } from "#base/clock.ts";
import { eventAnswer, readAnswer } from "./answer.ts";
import { idLabel } from "./label.ts";
import { lookAt, lookAtAll } from "./look.ts";
import { observeGone, type State } from "./state.ts";

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** How long an engine may take to know of an end that it has told. */
const settleLimitMs = 1_000;
const settleStepMs = 25;
const starvedPauseMs = 100;

/** Begins once; later calls change nothing. */
export function beginListening(state: State): void {
  if (state.listens) return;
  state.listens = true;
  void listenOn(state).catch((error: unknown) => {
    if (!state.closing.signal.aborted) state.trace.error("nobody listens to the container engine any more", { error });
  });
}

async function listenOn(state: State): Promise<void> {
  const { signal } = state.closing;
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      await listen(state, () => {
        pauseMs = firstPauseMs;
      });
    } catch (error) {
      if (!signal.aborted) state.trace.debug(`${state.client.name} cannot be heard`, { error });
    }
    state.hears = false;
    await sleep(state.clock, pauseMs, signal);
  }
}

async function listen(state: State, onHeard: () => void): Promise<void> {
  const { client, closing } = state;
  const { signal } = closing;
  // From a moment before the look on: an engine may begin to tell a little after it has answered.
  const since = await client.time(signal);
  const query = { since, filters: JSON.stringify(state.dialect.eventFilters) };
  const chunks = await client.stream({ method: "GET", path: "/events", query, what: "events" }, signal);
  await lookAtAll(state, signal);
  state.hears = true;
  onHeard();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") await hear(state, line);
  }
}

/** An event only says where to look. */
async function hear(state: State, line: string): Promise<void> {
  const { signal } = state.closing;
  const { Action, Actor } = readAnswer(state.client.name, "events", eventAnswer, JSON.parse(line));
  const id = Actor.Attributes[idLabel];
  if (id === undefined) return;
  if (Action === "destroy" || Action === "remove") observeGone(state, Actor.ID);
  if (Action === "start" || Action === "update") await lookAt(state, Actor.ID, signal);
  if (Action === "oom") state.starved.add(Actor.ID);
  if (Action !== "die" && Action !== "died") return;
  const isKilled = Number(Actor.Attributes.exitCode) === 128 + constants.signals.SIGKILL;
  if (!isKilled || state.askers.has(Actor.ID)) return untilSettled(state, Actor.ID);
  // Not by us: perhaps for its memory, which Docker tells a moment before or after the end itself.
  void sleep(state.clock, starvedPauseMs, signal)
    .then(() => untilSettled(state, Actor.ID))
    .catch((error: unknown) => {
      if (!signal.aborted) state.trace.debug(`${state.client.name} cannot be asked for an end`, { id, error });
    });
}

/** Looks until the engine, too, knows of the end that it has told. */
async function untilSettled(state: State, container: string): Promise<void> {
  const { signal } = state.closing;
  const untilMs = state.clock.tickMs() + settleLimitMs;
  while ((await lookAt(state, container, signal))?.instance.state === "running") {
    if (state.clock.tickMs() > untilMs) return;
    await sleep(state.clock, settleStepMs, signal);
  }
}
