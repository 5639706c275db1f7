import { Tabs as Radix } from "radix-ui";
import { type ReactNode, useEffect, useRef } from "react";

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly content: ReactNode;
}

interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly value: string;
  onChange(id: string): void;
}

/** Parts of a page, one at a time; arrow keys go from one to the next. */
export function Tabs({ label, tabs, value, onChange }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);
  // On a narrow screen the list scrolls: the chosen one is to be seen. The page itself stays where it is.
  useEffect(() => {
    const row = list.current;
    const chosen = row?.querySelector(`[role=tab][id$="-trigger-${CSS.escape(value)}"]`);
    if (!row || !chosen) return;
    const [frame, box] = [row.getBoundingClientRect(), chosen.getBoundingClientRect()];
    if (box.left < frame.left) row.scrollLeft += box.left - frame.left;
    else if (box.right > frame.right) row.scrollLeft += box.right - frame.right;
  }, [value]);
  return (
    <Radix.Root value={value} onValueChange={onChange}>
      <Radix.List
        ref={list}
        aria-label={label}
        className="flex overflow-x-auto border-line border-b [scrollbar-width:none] sm:gap-1"
      >
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.id}
            value={tab.id}
            className="-mb-px h-9 whitespace-nowrap border-transparent border-b-2 px-2 font-medium outline-offset-[-2px] sm:px-3 text-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:text-accent pointer-coarse:h-11"
          >
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} className="pt-4 focus-visible:outline-offset-4">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
