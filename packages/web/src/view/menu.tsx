import { Check, type LucideIcon } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { createContext, type ReactElement, type ReactNode, useContext, useRef } from "react";
import { cx } from "./class-names.ts";

const panel =
  "z-50 max-h-[min(28rem,var(--radix-dropdown-menu-content-available-height))] min-w-48 animate-appear overflow-y-auto rounded-large border border-line bg-raised p-1 shadow-raised";
const item =
  "flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-base px-2 outline-none data-disabled:cursor-not-allowed data-highlighted:bg-hover data-disabled:opacity-55 pointer-coarse:min-h-10";

/** Takes a deed that is done once the menu has gone, so that a dialog it opens finds the focus on the menu's button. */
const Later = createContext<(deed: () => void) => void>((deed) => deed());

interface MenuProps {
  /** The button that opens it. */
  readonly trigger: ReactElement;
  readonly children: ReactNode;
  readonly align?: "start" | "end";
  readonly startsOpen?: boolean;
}

/** A list of deeds or choices behind a button. */
export function Menu({ trigger, children, align = "end", startsOpen = false }: MenuProps) {
  const deed = useRef<() => void>(undefined);
  const run = () => {
    queueMicrotask(() => {
      deed.current?.();
      deed.current = undefined;
    });
  };
  return (
    <DropdownMenu.Root modal={false} defaultOpen={startsOpen}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          onCloseAutoFocus={run}
          className={panel}
        >
          <Later
            value={(next) => {
              deed.current = next;
            }}
          >
            {children}
          </Later>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  readonly icon?: LucideIcon;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  onSelect(): void;
  readonly children: ReactNode;
}

export function MenuItem({ icon: Icon, danger = false, disabled = false, onSelect, children }: MenuItemProps) {
  const later = useContext(Later);
  return (
    <DropdownMenu.Item
      disabled={disabled}
      onSelect={() => later(onSelect)}
      className={cx(item, danger ? "text-bad" : "text-ink")}
    >
      {Icon && <Icon aria-hidden className="size-4 shrink-0" />}
      {children}
    </DropdownMenu.Item>
  );
}

interface MenuCheckProps {
  readonly checked: boolean | "indeterminate";
  /** It is a part of the choice above it. */
  readonly inner?: boolean;
  onChange(checked: boolean): void;
  readonly children: ReactNode;
}

/** A choice of several; the menu stays open for the next one. */
export function MenuCheck({ checked, inner = false, onChange, children }: MenuCheckProps) {
  return (
    <DropdownMenu.CheckboxItem
      checked={checked}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
      className={cx(item, "text-ink")}
    >
      <span
        className={cx(
          "flex size-4 shrink-0 items-center justify-center rounded-small border border-edge",
          inner && "ml-5",
        )}
      >
        <DropdownMenu.ItemIndicator>
          {checked === "indeterminate" ? (
            <span className="block h-0.5 w-2 bg-accent" />
          ) : (
            <Check aria-hidden className="size-3.5 text-accent" />
          )}
        </DropdownMenu.ItemIndicator>
      </span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}

export function MenuLabel({ children }: { readonly children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-2 pb-1 text-small text-soft">{children}</DropdownMenu.Label>;
}

export function MenuLine() {
  return <DropdownMenu.Separator className="my-1 h-px bg-line" />;
}
