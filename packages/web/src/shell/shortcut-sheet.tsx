import { Dialog } from "../view/dialog.tsx";
import { Kbd } from "../view/kbd.tsx";
import { commandKey, places } from "./places.ts";

interface ShortcutSheetProps {
  readonly open: boolean;
  onOpenChange(open: boolean): void;
}

const onMetrics = [
  { keys: ["/"], word: "On the Metrics page: to the query" },
  { keys: ["Ctrl", "Space"], word: "In the query: what can be written here" },
  { keys: ["[", "]"], word: "On the Metrics page: earlier, later" },
  { keys: ["+", "-"], word: "On the Metrics page: closer, wider" },
];

/** The keys, told. */
export function ShortcutSheet({ open, onOpenChange }: ShortcutSheetProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2">
        <dt className="flex gap-1">
          <Kbd>{commandKey}</Kbd>
          <Kbd>K</Kbd>
        </dt>
        <dd>Go anywhere, do anything</dd>
        {places.map(({ key, word }) => (
          <div key={key} className="contents">
            <dt className="flex gap-1">
              <Kbd>g</Kbd>
              <Kbd>{key}</Kbd>
            </dt>
            <dd>{word}</dd>
          </div>
        ))}
        {onMetrics.map(({ keys, word }) => (
          <div key={word} className="contents">
            <dt className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{word}</dd>
          </div>
        ))}
        <dt>
          <Kbd>?</Kbd>
        </dt>
        <dd>This sheet</dd>
        <dt>
          <Kbd>Esc</Kbd>
        </dt>
        <dd>Close what is open</dd>
      </dl>
    </Dialog>
  );
}
