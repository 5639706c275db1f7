import type { ReactNode } from "react";
import { Button } from "../view/button.tsx";
import { Code } from "../view/code.tsx";

interface SecretProps {
  /** What it is: `the link`. */
  readonly label: string;
  readonly text: string;
  readonly children: ReactNode;
  close(): void;
}

/** Something that is shown this once. */
export function Secret({ label, text, children, close }: SecretProps) {
  return (
    <div className="flex flex-col gap-4">
      <div className="text-soft">{children}</div>
      <Code text={text} label={label} />
      <div className="flex justify-end">
        <Button kind="primary" onClick={close}>
          Done
        </Button>
      </div>
    </div>
  );
}
