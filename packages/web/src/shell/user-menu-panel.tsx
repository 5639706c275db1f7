import { LogOut } from "lucide-react";
import { setAppearance, useAppearance } from "../appearance.ts";
import { useMe } from "../hub.ts";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../view/menu.tsx";
import { useSignOut } from "./sign-out.ts";
import { themes } from "./theme.ts";
import { UserButton } from "./user-button.tsx";

/** The menu behind the user's button, open from the start: it is made when it is asked for. */
export function UserMenuPanel({ wide }: { readonly wide: boolean }) {
  const me = useMe();
  const { theme } = useAppearance();
  const signOut = useSignOut();
  if (!me) return null;
  return (
    <Menu trigger={<UserButton wide={wide} />} align={wide ? "start" : "end"} startsOpen>
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
