import { lazyPart } from "./fetch-part.ts";

/** The parts of the window that do not come with its first code. */

/** The pages behind the sign-in but the first. */
export const pages = {
  machines: lazyPart(() => import("./page/machines.tsx"), "MachinesPage"),
  machine: lazyPart(() => import("./page/machine.tsx"), "MachinePage"),
  services: lazyPart(() => import("./page/services.tsx"), "ServicesPage"),
  metrics: lazyPart(() => import("./page/metrics.tsx"), "MetricsPage"),
  events: lazyPart(() => import("./page/events.tsx"), "EventsPage"),
  settings: lazyPart(() => import("./page/settings.tsx"), "SettingsPage"),
};

export const PalettePanel = lazyPart(() => import("./shell/palette-panel.tsx"), "PalettePanel");
export const UserMenuPanel = lazyPart(() => import("./shell/user-menu-panel.tsx"), "UserMenuPanel");
export const ShortcutSheet = lazyPart(() => import("./shell/shortcut-sheet.tsx"), "ShortcutSheet");

/** Fetches what is not there yet, so that nobody waits for it later, and a hub that goes away takes nothing with it. */
export function fetchAllParts(): void {
  for (const part of [...Object.values(pages), PalettePanel, UserMenuPanel, ShortcutSheet]) void part.preload?.();
}
