import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useConnection } from "../live.ts";
import { makeNudge } from "../nudge.ts";
import { type BoardState, isLate, makeBoard, type Wanted } from "./board-ask.ts";
import type { Ticks } from "./machine-ticks.ts";
import { askInstant, askRange } from "./metrics-told.ts";

/** A machine that was cut off tells many of them, one after the other. */
const latePauseMs = 15_000;

/** A board that goes on with the ticks, no more often than every `pauseMs`; what is `wanted` is one object while it is the same. */
export function useBoard(wanted: Wanted | undefined, ticks: Ticks, pauseMs: number): BoardState | undefined {
  const [board] = useState(() => makeBoard({ range: askRange, instant: askInstant, nowMs: Date.now }));
  useEffect(() => {
    if (wanted) board.show(wanted);
  }, [board, wanted]);
  useEffect(() => {
    const nudge = makeNudge<number>((times) => board.tick(Math.max(...times)), pauseMs);
    const late = makeNudge(board.again, latePauseMs);
    return ticks.listen((atMs) => {
      if (isLate(board.read(), atMs)) late([true]);
      else nudge([atMs]);
    });
  }, [board, ticks, pauseMs]);
  useAgain(board.again);
  useEffect(() => () => board.close(), [board]);
  return useSyncExternalStore(board.listen, board.read);
}

/** A hub that was away is asked for all of it once it is back, and so it is when a tab that lay hidden comes to the front. */
function useAgain(again: () => void): void {
  const connection = useConnection();
  const before = useRef(connection);
  useEffect(() => {
    if (connection === "live" && before.current === "reconnecting") again();
    if (connection !== "connecting") before.current = connection;
  }, [connection, again]);
}

/** Keeps one object as long as what it is made of reads the same. */
export function useWanted(wanted: Wanted | undefined): Wanted | undefined {
  const text = wanted && JSON.stringify(wanted);
  return useMemo(() => (text === undefined ? undefined : (JSON.parse(text) as Wanted)), [text]);
}
