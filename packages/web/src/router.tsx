import { createRootRoute, createRoute, createRouter, Outlet, redirect } from "@tanstack/react-router";
import { lazyPart } from "./fetch-part.ts";
import { machinesQuery, meQuery, queries, recentEventsQuery, releasesQuery, statusQuery } from "./hub.ts";
import { readMachineSearch } from "./page/machine-search.ts";
import { readSearch } from "./page/metrics-search.ts";
import { OverviewPage } from "./page/overview.tsx";
import { readServiceSearch } from "./page/services-search.ts";
import { pages } from "./parts.ts";
import { safePath } from "./safe-path.ts";
import { Broken, BrokenAlone, NotFound, NotFoundAlone } from "./shell/fallback.tsx";
import { Shell } from "./shell/shell.tsx";
import { readFault } from "./view/fault.ts";

const root = createRootRoute({ component: Outlet, errorComponent: BrokenAlone, notFoundComponent: NotFoundAlone });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string } => {
    const to = safePath(search.to);
    return to === "/" ? {} : { to };
  },
  component: lazyPart(() => import("./page/sign-in.tsx"), "SignInPage"),
});

const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyPart(() => import("./page/welcome.tsx"), "WelcomePage"),
});

/** Everything behind the sign-in. What most people see first comes with the first code: one way less to wait for. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  errorComponent: BrokenAlone,
  async beforeLoad({ location }) {
    try {
      await queries.ensureQueryData(meQuery);
    } catch (thrown) {
      if (readFault(thrown).code !== "unauthenticated") throw thrown;
      throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { to: location.href } });
    }
  },
  loader() {
    void queries.prefetchQuery(statusQuery);
    void queries.prefetchQuery(machinesQuery);
  },
});

const overview = createRoute({
  getParentRoute: () => inside,
  path: "/",
  component: OverviewPage,
  loader: () => void queries.prefetchQuery(recentEventsQuery),
});
const machines = createRoute({
  getParentRoute: () => inside,
  path: "/machines",
  component: pages.machines,
});
const machine = createRoute({
  getParentRoute: () => inside,
  path: "/machines/$name",
  validateSearch: readMachineSearch,
  component: pages.machine,
});
const services = createRoute({
  getParentRoute: () => inside,
  path: "/services",
  component: pages.services,
});
const service = createRoute({
  getParentRoute: () => inside,
  path: "/services/$environment/$service",
  validateSearch: readServiceSearch,
  loader: ({ params }) => void queries.prefetchQuery(releasesQuery(params.environment, params.service)),
  component: pages.services,
});
/** Not /metrics, which is where the hub tells its own metrics to whoever collects them. */
const metrics = createRoute({
  getParentRoute: () => inside,
  path: "/graph",
  validateSearch: readSearch,
  component: pages.metrics,
});
const events = createRoute({
  getParentRoute: () => inside,
  path: "/events",
  validateSearch: (search: Record<string, unknown>): { type?: string; subject?: string } => ({
    ...(typeof search.type === "string" ? { type: search.type } : {}),
    ...(typeof search.subject === "string" ? { subject: search.subject } : {}),
  }),
  component: pages.events,
});
const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings",
  component: pages.settings,
});
/** Whatever else: said with the way to the other pages around it. */
const elsewhere = createRoute({ getParentRoute: () => inside, path: "$", component: NotFound });

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    welcome,
    inside.addChildren([overview, machines, machine, services, service, metrics, events, settings, elsewhere]),
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
