import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { signedOut } from "../hub.ts";
import { startLive, stopLive, useConnection } from "../live.ts";
import { fetchAllParts } from "../parts.ts";
import { Toasts } from "../view/toast.tsx";
import { Banners } from "./banner.tsx";
import { ConnectionMark } from "./connection.tsx";
import { Palette, PaletteButton, PaletteIcon } from "./palette.tsx";
import { places } from "./places.ts";
import { Shortcuts } from "./shortcuts.tsx";
import { UserMenu } from "./user-menu.tsx";

/** When the first page stands and nobody waits for anything. */
const fetchPartsAfterMs = 3_000;

/** What stands around every page behind the sign-in. */
export function Shell() {
  const main = useRef<HTMLElement>(null);
  useEffect(startLive, []);
  useEffect(() => {
    const timer = setTimeout(fetchAllParts, fetchPartsAfterMs);
    return () => clearTimeout(timer);
  }, []);
  useSignedOut();
  useFocusOnNavigation(main);
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-base focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <Side />
      <div className="flex min-w-0 flex-1 flex-col">
        <TopBar />
        <Banners />
        <main
          id="main"
          ref={main}
          tabIndex={-1}
          className="mx-auto w-full max-w-7xl flex-1 px-4 pt-4 pb-24 outline-none md:px-6 md:pb-8"
        >
          <Outlet />
        </main>
      </div>
      <BottomBar />
      <Palette />
      <Shortcuts />
      <Toasts />
    </div>
  );
}

function Side() {
  return (
    <nav
      aria-label="Pages"
      className="sticky top-0 hidden h-dvh w-52 shrink-0 flex-col gap-1 border-line border-r bg-surface p-3 md:flex"
    >
      <Link to="/" className="mb-3 flex h-8 items-center gap-2 px-2 font-semibold text-large">
        <img src="/icon.svg" alt="" className="size-5" />
        fed
      </Link>
      {places.map(({ to, word, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === "/" }}
          className="flex h-8 items-center gap-2.5 rounded-base px-2 text-soft hover:bg-hover hover:text-ink data-[status=active]:bg-accent-wash data-[status=active]:font-medium data-[status=active]:text-accent"
        >
          <Icon aria-hidden className="size-4" />
          {word}
        </Link>
      ))}
      <div className="mt-auto flex flex-col gap-2">
        <PaletteButton />
        <ConnectionMark />
        <UserMenu wide />
      </div>
    </nav>
  );
}

function TopBar() {
  return (
    <header className="flex h-12 items-center gap-2 border-line border-b bg-surface px-4 md:hidden">
      <Link to="/" className="flex items-center gap-2 font-semibold text-large">
        <img src="/icon.svg" alt="" className="size-5" />
        fed
      </Link>
      <div className="ml-auto flex items-center gap-2">
        <ConnectionMark />
        <PaletteIcon />
        <UserMenu />
      </div>
    </header>
  );
}

/** On a phone, where the thumb is. */
function BottomBar() {
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-30 flex border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {places.map(({ to, word, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === "/" }}
          className="flex h-14 flex-1 flex-col items-center justify-center gap-0.5 text-soft text-tiny data-[status=active]:text-accent"
        >
          <Icon aria-hidden className="size-5" />
          {word}
        </Link>
      ))}
    </nav>
  );
}

/** A session that ended elsewhere leads to the sign-in, and back here. */
function useSignedOut(): void {
  const connection = useConnection();
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location.href });
  useEffect(() => {
    if (connection !== "signedOut") return;
    stopLive();
    signedOut();
    void navigate({ to: "/sign-in", search: here === "/" ? {} : { to: here } });
  }, [connection, here, navigate]);
}

/** Who listens hears of the new page, and the next Tab begins there. */
function useFocusOnNavigation(main: React.RefObject<HTMLElement | null>): void {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const before = useRef(path);
  useEffect(() => {
    if (before.current !== undefined && path !== before.current) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path, main]);
}
