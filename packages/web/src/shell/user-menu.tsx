import { api } from "@fed/fed/wire/api.ts";
import { useNavigate } from "@tanstack/react-router";
import { CircleUser, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { type Appearance, setAppearance, useAppearance } from "../appearance.ts";
import { client, signedOut, useMe } from "../hub.ts";
import { stopLive } from "../live.ts";
import { Button } from "../view/button.tsx";
import { readFault } from "../view/fault.ts";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../view/menu.tsx";
import { toast } from "../view/toast-store.ts";

export const themes: readonly {
  readonly theme: Appearance["theme"];
  readonly word: string;
  readonly icon: typeof Sun;
}[] = [
  { theme: "system", word: "As the system", icon: Monitor },
  { theme: "light", word: "Light", icon: Sun },
  { theme: "dark", word: "Dark", icon: Moon },
];

/** Ends the session here and at the hub. */
export function useSignOut(): () => Promise<void> {
  const navigate = useNavigate();
  return async () => {
    try {
      await client.call(api.logout, {});
    } catch (thrown) {
      const { code, message } = readFault(thrown);
      // Who is signed out already has what they wanted.
      if (code !== "unauthenticated") return void toast({ tone: "bad", title: "Could not sign out", detail: message });
    }
    stopLive();
    signedOut();
    await navigate({ to: "/sign-in" });
  };
}

export function UserMenu({ wide = false }: { readonly wide?: boolean }) {
  const me = useMe();
  const { theme } = useAppearance();
  const signOut = useSignOut();
  if (!me) return null;
  const trigger = wide ? (
    <Button kind="quiet" icon={CircleUser} className="w-full justify-start px-2!">
      <span className="min-w-0 truncate">{me.name}</span>
      <span className="ml-auto font-normal text-small text-soft">{me.role}</span>
    </Button>
  ) : (
    <Button
      kind="quiet"
      icon={CircleUser}
      aria-label={`${me.name}, ${me.role}`}
      className="px-2! pointer-coarse:size-10"
    />
  );
  return (
    <Menu trigger={trigger} align={wide ? "start" : "end"}>
      <MenuLabel>
        Signed in as {me.name}, {me.role}
      </MenuLabel>
      <MenuLine />
      {themes.map((one) => (
        <MenuItem key={one.theme} icon={one.icon} onSelect={() => setAppearance({ theme: one.theme })}>
          {one.word}
          {one.theme === theme && <span className="ml-auto text-small text-soft">chosen</span>}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem icon={LogOut} onSelect={() => void signOut()}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
