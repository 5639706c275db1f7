import { useRef } from "react";

/** Where the focus goes when a dialog opens, and back to when it closes; dialogs here are opened by state, not by a trigger. */
export function useFocusReturn() {
  const opener = useRef<Element | null>(null);
  return {
    onOpenAutoFocus(event: Event) {
      opener.current = document.activeElement;
      // Whoever is asked for something types at once; whoever is told something reads, and no button stands out.
      const panel = event.currentTarget ?? event.target;
      const field =
        panel instanceof HTMLElement && panel.querySelector<HTMLElement>("input:not([hidden]), select, textarea");
      const target = field || (panel instanceof HTMLElement && panel.role === "dialog" && panel);
      if (!target) return;
      event.preventDefault();
      target.focus();
    },
    onCloseAutoFocus(event: Event) {
      event.preventDefault();
      // What opened it may have gone with what was done.
      const known = opener.current?.isConnected && opener.current !== document.body;
      const back = known ? opener.current : document.querySelector("main");
      if (back instanceof HTMLElement) back.focus();
    },
  };
}
