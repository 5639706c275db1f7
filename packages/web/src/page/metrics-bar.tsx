import { History, Play, Plus } from "lucide-react";
import { Button } from "../view/button.tsx";
import { Menu, MenuItem, MenuLabel } from "../view/menu.tsx";
import { useQueryHistory } from "./metrics-history.ts";
import { Picker, type PickerProps } from "./metrics-picker.tsx";

interface BarProps {
  /** No more queries fit. */
  readonly full: boolean;
  readonly picker: PickerProps;
  onRun(): void;
  onAdd(): void;
  onChoose(query: string): void;
}

/** What can be done with the queries, and when they are asked for. */
export function Bar({ full, picker, onRun, onAdd, onChoose }: BarProps) {
  return (
    <div className="mt-2 mb-4 flex flex-wrap items-center gap-x-3 gap-y-2">
      <Button kind="primary" icon={Play} onClick={onRun}>
        Run
      </Button>
      <Button icon={Plus} disabled={full} onClick={onAdd}>
        Add query
      </Button>
      <Recent onChoose={onChoose} />
      <div className="grow" />
      <Picker {...picker} />
    </div>
  );
}

const recentShown = 15;

function Recent({ onChoose }: Pick<BarProps, "onChoose">) {
  const recent = useQueryHistory();
  if (recent.length === 0) return null;
  return (
    <Menu align="start" trigger={<Button icon={History}>Recent</Button>}>
      <MenuLabel>Asked last on this device</MenuLabel>
      {recent.slice(0, recentShown).map((query) => (
        <MenuItem key={query} onSelect={() => onChoose(query)}>
          <span className="max-w-96 truncate font-mono text-small">{query}</span>
        </MenuItem>
      ))}
    </Menu>
  );
}
