import type { WireUser } from "@fed/fed/wire/user.ts";
import { Ellipsis, KeyRound, ShieldHalf, UserCheck, UserX } from "lucide-react";
import { useMe } from "../hub.ts";
import { Badge, StateDot } from "../view/badge.tsx";
import { IconButton } from "../view/button.tsx";
import { Menu, MenuItem, MenuLine } from "../view/menu.tsx";
import { lookOfUser } from "../view/state.ts";
import { Cell, Row } from "../view/table.tsx";
import { Time } from "../view/time.tsx";

export type UserDeed = "role" | "reset" | "disable" | "enable";

export function UserRow({ user, onDeed }: { readonly user: WireUser; onDeed(deed: UserDeed): void }) {
  const { name, role, state, createdMs, signedInMs } = user;
  const me = useMe();
  const self = me?.kind === "user" && me.name === name;
  return (
    <Row>
      <Cell>
        <span className="font-medium">{name}</span> {self && <Badge tone="info">you</Badge>}
        <span className="block text-small text-soft sm:hidden">{role}</span>
      </Cell>
      <Cell>
        <StateDot look={lookOfUser(state)} />
      </Cell>
      <Cell className="max-sm:hidden">{role}</Cell>
      <Cell className="max-md:hidden">
        {signedInMs === undefined ? <span className="text-soft">never</span> : <Time atMs={signedInMs} />}
      </Cell>
      <Cell className="max-md:hidden">
        <Time atMs={createdMs} />
      </Cell>
      <Cell>
        <UserMenu user={user} self={self} onDeed={onDeed} />
      </Cell>
    </Row>
  );
}

interface UserMenuProps {
  readonly user: WireUser;
  /** Who locks themselves out needs the hub's machine to come back: one's own account is left to others. */
  readonly self: boolean;
  onDeed(deed: UserDeed): void;
}

function UserMenu({ user: { name, state }, self, onDeed }: UserMenuProps) {
  const label = `Deeds for ${name}`;
  if (self) return <IconButton label={label} icon={Ellipsis} reason="Another admin can change your account." />;
  return (
    <Menu trigger={<IconButton label={label} icon={Ellipsis} />}>
      <MenuItem icon={ShieldHalf} onSelect={() => onDeed("role")}>
        Change the role
      </MenuItem>
      <MenuItem icon={KeyRound} disabled={state === "disabled"} onSelect={() => onDeed("reset")}>
        Reset the password
      </MenuItem>
      <MenuLine />
      {state === "disabled" ? (
        <MenuItem icon={UserCheck} onSelect={() => onDeed("enable")}>
          Enable
        </MenuItem>
      ) : (
        <MenuItem icon={UserX} danger onSelect={() => onDeed("disable")}>
          Disable
        </MenuItem>
      )}
    </Menu>
  );
}
