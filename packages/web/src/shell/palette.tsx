import { Search } from "lucide-react";
import { Suspense, useEffect, useState } from "react";
import { PalettePanel } from "../parts.ts";
import { IconButton } from "../view/button.tsx";
import { Kbd } from "../view/kbd.tsx";
import { commandKey } from "./places.ts";

const opened = "fed:palette";
const open = () => window.dispatchEvent(new Event(opened));

/** As soon as somebody reaches for it, so that it is there when they type: what is typed must not go nowhere. */
const fetchPanel = () => void PalettePanel.preload?.();

/** Opens the palette with the mouse. */
export function PaletteButton() {
  return (
    <button
      type="button"
      onClick={open}
      onPointerEnter={fetchPanel}
      onFocus={fetchPanel}
      className="flex h-8 w-full items-center gap-2 rounded-base border border-line bg-sunken px-2 text-small text-soft hover:border-edge hover:text-ink"
    >
      <Search aria-hidden className="size-3.5" />
      Go to …
      <span className="ml-auto flex gap-0.5">
        <Kbd>{commandKey}</Kbd>
        <Kbd>K</Kbd>
      </span>
    </button>
  );
}

/** The same where there is little room. */
export function PaletteIcon() {
  return <IconButton label="Go to, or do" icon={Search} onClick={open} />;
}

/** Opens with Ctrl-K (⌘K) or by its buttons, on every page. */
export function Palette() {
  const [state, setState] = useState<"never" | "open" | "closed">("never");
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Control" || event.key === "Meta") fetchPanel();
      // It may still be on its way; once it is there, it closes by itself.
      if (event.key === "Escape") setState((was) => (was === "open" ? "closed" : was));
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setState((was) => (was === "open" ? "closed" : "open"));
    };
    const onOpen = () => setState("open");
    window.addEventListener("keydown", onKey);
    window.addEventListener(opened, onOpen);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener(opened, onOpen);
    };
  }, []);
  if (state === "never") return null;
  return (
    <Suspense fallback={null}>
      <PalettePanel open={state === "open"} onOpenChange={(next: boolean) => setState(next ? "open" : "closed")} />
    </Suspense>
  );
}
