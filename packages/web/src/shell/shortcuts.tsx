import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Dialog } from "../view/dialog.tsx";
import { Kbd } from "../view/kbd.tsx";
import { places } from "./places.ts";

/** How long after `g` the second key counts. */
const chordMs = 1_500;

/** Keys for who does not reach for the mouse, and the sheet that tells them (`?`). */
export function Shortcuts() {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  useEffect(() => {
    let chordUntilMs = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isBehindDialog()) return;
      const place = places.find(({ key }) => key === event.key);
      if (place && event.timeStamp < chordUntilMs) {
        event.preventDefault();
        void navigate({ to: place.to });
      } else if (event.key === "?") setOpen(true);
      chordUntilMs = event.key === "g" ? event.timeStamp + chordMs : 0;
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [navigate]);
  return (
    <Dialog open={open} onOpenChange={setOpen} title="Keyboard">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2">
        <dt className="flex gap-1">
          <Kbd>Ctrl</Kbd>
          <Kbd>K</Kbd>
        </dt>
        <dd>Go anywhere, do anything (on a Mac with ⌘)</dd>
        {places.map(({ key, word }) => (
          <div key={key} className="contents">
            <dt className="flex gap-1">
              <Kbd>g</Kbd>
              <Kbd>{key}</Kbd>
            </dt>
            <dd>{word}</dd>
          </div>
        ))}
        <dt>
          <Kbd>?</Kbd>
        </dt>
        <dd>This sheet</dd>
        <dt>
          <Kbd>Esc</Kbd>
        </dt>
        <dd>Close what is open</dd>
      </dl>
    </Dialog>
  );
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function isBehindDialog(): boolean {
  return document.querySelector("[role=dialog], [role=alertdialog], [role=menu]") !== null;
}
