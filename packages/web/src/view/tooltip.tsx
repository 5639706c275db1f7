import { Tooltip as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

interface TooltipProps {
  /** Undefined while there is nothing to say: what it is about stays the same element then. */
  readonly text: ReactNode | undefined;
  readonly children: ReactElement;
}

/** A few words about what the pointer or the focus is on. Never the only place where something is said. */
export function Tooltip({ text, children }: TooltipProps) {
  return (
    <Radix.Provider delayDuration={350} skipDelayDuration={150}>
      <Radix.Root>
        <Radix.Trigger asChild>{children}</Radix.Trigger>
        {text !== undefined && (
          <Radix.Portal>
            <Radix.Content
              sideOffset={6}
              collisionPadding={8}
              className="z-50 max-w-72 animate-appear rounded-base border border-line bg-raised px-2 py-1 text-small text-ink shadow-raised"
            >
              {text}
            </Radix.Content>
          </Radix.Portal>
        )}
      </Radix.Root>
    </Radix.Provider>
  );
}
