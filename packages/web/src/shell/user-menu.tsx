import { type KeyboardEvent, Suspense, useState } from "react";
import { UserMenuPanel } from "../parts.ts";
import { UserButton } from "./user-button.tsx";

interface UserMenuProps {
  /** With the name, not the sign alone. */
  readonly wide?: boolean;
}

const fetchPanel = () => void UserMenuPanel.preload?.();

/** Who is signed in, and what they can do about it. The menu itself is fetched when somebody reaches for it. */
export function UserMenu({ wide = false }: UserMenuProps) {
  const [wanted, setWanted] = useState(false);
  const open = () => setWanted(true);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") open();
  };
  const button = (
    <UserButton
      wide={wide}
      aria-haspopup="menu"
      aria-expanded={false}
      onClick={open}
      onKeyDown={onKeyDown}
      onPointerEnter={fetchPanel}
      onFocus={fetchPanel}
    />
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <UserMenuPanel wide={wide} />
    </Suspense>
  );
}
