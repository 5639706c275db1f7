import { Boxes, ChartSpline, LayoutDashboard, ListTree, type LucideIcon, Server, Settings } from "lucide-react";

interface Place {
  readonly to: "/" | "/machines" | "/services" | "/graph" | "/events" | "/settings";
  readonly word: string;
  readonly icon: LucideIcon;
  /** Typed after `g`. */
  readonly key: string;
}

/** The rooms of the window. */
export const places: readonly Place[] = [
  { to: "/", word: "Overview", icon: LayoutDashboard, key: "o" },
  { to: "/machines", word: "Machines", icon: Server, key: "m" },
  { to: "/services", word: "Services", icon: Boxes, key: "s" },
  { to: "/graph", word: "Metrics", icon: ChartSpline, key: "q" },
  { to: "/events", word: "Events", icon: ListTree, key: "e" },
  { to: "/settings", word: "Settings", icon: Settings, key: "," },
];

/** What is held for a command, as its key is called here. */
export const commandKey = /mac|iphone|ipad/i.test(navigator.platform) ? "⌘" : "Ctrl";
