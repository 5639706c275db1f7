import { useNavigate } from "@tanstack/react-router";
import { Suspense, useEffect, useState } from "react";
import { ShortcutSheet } from "../parts.ts";
import { places } from "./places.ts";

/** How long after `g` the second key counts. */
const chordMs = 1_500;

/** Keys for who does not reach for the mouse, and the sheet that tells them (`?`). */
export function Shortcuts() {
  const [state, setState] = useState<"never" | "open" | "closed">("never");
  const navigate = useNavigate();
  useEffect(() => {
    let chordUntilMs = 0;
    const onKey = (event: KeyboardEvent) => {
      // It may still be on its way; once it is there, it closes by itself.
      if (event.key === "Escape") setState((was) => (was === "open" ? "closed" : was));
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isBehindDialog()) return;
      const place = places.find(({ key }) => key === event.key);
      if (place && event.timeStamp < chordUntilMs) {
        event.preventDefault();
        void navigate({ to: place.to });
      } else if (event.key === "?") setState("open");
      chordUntilMs = event.key === "g" ? event.timeStamp + chordMs : 0;
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate]);
  if (state === "never") return null;
  return (
    <Suspense fallback={null}>
      <ShortcutSheet open={state === "open"} onOpenChange={(next: boolean) => setState(next ? "open" : "closed")} />
    </Suspense>
  );
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function isBehindDialog(): boolean {
  return document.querySelector("[role=dialog], [role=alertdialog], [role=menu]") !== null;
}
