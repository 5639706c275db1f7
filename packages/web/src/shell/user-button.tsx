import { CircleUser } from "lucide-react";
import type { ComponentProps } from "react";
import { useMe } from "../hub.ts";
import { Button } from "../view/button.tsx";

interface UserButtonProps extends ComponentProps<"button"> {
  /** With the name, not the sign alone. */
  readonly wide: boolean;
}

/** The button of the menu; nothing while it is not known who is signed in. */
export function UserButton({ wide, ...rest }: UserButtonProps) {
  const me = useMe();
  if (!me) return null;
  if (!wide) {
    return (
      <Button
        {...rest}
        kind="quiet"
        icon={CircleUser}
        aria-label={`${me.name}, ${me.role}`}
        className="px-2! pointer-coarse:size-10"
      />
    );
  }
  return (
    <Button {...rest} kind="quiet" icon={CircleUser} className="w-full justify-start px-2!">
      <span className="min-w-0 truncate">{me.name}</span>
      <span className="ml-auto font-normal text-small text-soft">{me.role}</span>
    </Button>
  );
}
