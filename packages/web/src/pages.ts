import { lazyPart } from "./fetch-part.ts";

/** The pages behind the sign-in but the first, each a part of its own. */
export const pages = {
  machines: lazyPart(() => import("./page/machines.tsx"), "MachinesPage"),
  machine: lazyPart(() => import("./page/machine.tsx"), "MachinePage"),
  services: lazyPart(() => import("./page/services.tsx"), "ServicesPage"),
  events: lazyPart(() => import("./page/events.tsx"), "EventsPage"),
  settings: lazyPart(() => import("./page/settings.tsx"), "SettingsPage"),
};

/** Fetches what is not there yet, so that a hub which goes away does not take the other pages with it. */
export function fetchAllPages(): void {
  for (const page of Object.values(pages)) void page.preload?.();
}
