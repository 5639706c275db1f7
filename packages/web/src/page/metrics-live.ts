import { type RefObject, useEffect, useLayoutEffect, useState } from "react";
import { untilNextMs } from "./metrics-range.ts";

/** The moment that is asked for. Goes on by itself while `live`: once a step, never while nobody looks. */
export function useMoment(live: boolean, everyMs: number): { readonly nowMs: number; refresh(): void } {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    if (!live) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(tick, untilNextMs(Date.now(), everyMs));
    };
    const tick = () => {
      if (document.visibilityState === "hidden") return;
      setNowMs(Date.now());
      wait();
    };
    const onVisibility = () => (document.visibilityState === "hidden" ? clearTimeout(timer) : tick());
    wait();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [live, everyMs]);
  return { nowMs, refresh: () => setNowMs(Date.now()) };
}

/** How wide an element is; undefined before it stands. */
export function useWidth(element: RefObject<HTMLElement | null>): number | undefined {
  const [width, setWidth] = useState<number>();
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    setWidth(target.clientWidth);
    const observer = new ResizeObserver(() => setWidth(target.clientWidth));
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
