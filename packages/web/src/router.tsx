import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { machinesQuery, meQuery, queries, statusQuery } from "./hub.ts";
import { safePath } from "./safe-path.ts";
import { Broken, BrokenAlone, NotFound, NotFoundAlone } from "./shell/fallback.tsx";
import { readFault } from "./view/fault.ts";

const root = createRootRoute({ component: Outlet, errorComponent: BrokenAlone, notFoundComponent: NotFoundAlone });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string } => {
    const to = safePath(search.to);
    return to === "/" ? {} : { to };
  },
  component: lazyRouteComponent(() => import("./page/sign-in.tsx"), "SignInPage"),
});

const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./page/welcome.tsx"), "WelcomePage"),
});

/** Everything behind the sign-in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: lazyRouteComponent(() => import("./shell/shell.tsx"), "Shell"),
  errorComponent: BrokenAlone,
  async beforeLoad({ location }) {
    try {
      await queries.ensureQueryData(meQuery);
    } catch (thrown) {
      if (readFault(thrown).code !== "unauthenticated") throw thrown;
      throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { to: location.href } });
    }
  },
  // Asked for while the code of the page is on its way, not after it.
  loader() {
    void queries.prefetchQuery(statusQuery);
    void queries.prefetchQuery(machinesQuery);
  },
});

const overview = createRoute({
  getParentRoute: () => inside,
  path: "/",
  component: lazyRouteComponent(() => import("./page/overview.tsx"), "OverviewPage"),
});
const machines = createRoute({
  getParentRoute: () => inside,
  path: "/machines",
  component: lazyRouteComponent(() => import("./page/machines.tsx"), "MachinesPage"),
});
const machine = createRoute({
  getParentRoute: () => inside,
  path: "/machines/$name",
  component: lazyRouteComponent(() => import("./page/machine.tsx"), "MachinePage"),
});
const services = createRoute({
  getParentRoute: () => inside,
  path: "/services",
  component: lazyRouteComponent(() => import("./page/services.tsx"), "ServicesPage"),
});
const service = createRoute({
  getParentRoute: () => inside,
  path: "/services/$environment/$service",
  component: lazyRouteComponent(() => import("./page/services.tsx"), "ServicesPage"),
});
const events = createRoute({
  getParentRoute: () => inside,
  path: "/events",
  validateSearch: (search: Record<string, unknown>): { type?: string; subject?: string } => ({
    ...(typeof search.type === "string" ? { type: search.type } : {}),
    ...(typeof search.subject === "string" ? { subject: search.subject } : {}),
  }),
  component: lazyRouteComponent(() => import("./page/events.tsx"), "EventsPage"),
});
const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings",
  component: lazyRouteComponent(() => import("./page/settings.tsx"), "SettingsPage"),
});
/** Whatever else: said with the way to the other pages around it. */
const elsewhere = createRoute({ getParentRoute: () => inside, path: "$", component: NotFound });

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    welcome,
    inside.addChildren([overview, machines, machine, services, service, events, settings, elsewhere]),
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
