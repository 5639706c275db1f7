import { X } from "lucide-react";
import { AlertDialog, Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { cx } from "./class-names.ts";
import { ErrorState } from "./error-state.tsx";
import { useFocusReturn } from "./focus.ts";

const veil = "fixed inset-0 z-40 bg-veil";
/** In the middle; on a phone at the bottom, where the thumb is. */
const panel =
  "fixed inset-x-0 bottom-0 z-50 mx-auto flex max-h-[90dvh] w-full max-w-lg animate-appear flex-col overflow-hidden rounded-t-large border border-line bg-raised shadow-raised outline-none sm:top-[12vh] sm:bottom-auto sm:max-h-[76dvh] sm:rounded-large";

interface DialogProps {
  readonly open: boolean;
  onOpenChange(open: boolean): void;
  readonly title: string;
  /** What it is for, in a line. */
  readonly about?: ReactNode;
  readonly children: ReactNode;
  readonly wide?: boolean;
}

/** Holds the focus while it is open and gives it back; Escape closes it. */
export function Dialog({ open, onOpenChange, title, about, children, wide = false }: DialogProps) {
  const focus = useFocusReturn();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={veil} />
        <Radix.Content
          {...focus}
          {...(about === undefined ? { "aria-describedby": undefined } : {})}
          className={cx(panel, wide && "sm:max-w-3xl")}
        >
          <header className="flex items-center gap-3 border-line border-b py-2 pr-2 pl-4">
            <div className="min-w-0 flex-1 py-1">
              <Radix.Title className="font-semibold text-large">{title}</Radix.Title>
              {about !== undefined && <Radix.Description className="text-soft">{about}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" icon={X} />
            </Radix.Close>
          </header>
          <div className="overflow-y-auto p-4">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmDialogProps {
  readonly open: boolean;
  onOpenChange(open: boolean): void;
  /** As a question: `Restart dev/api?` */
  readonly title: string;
  /** What will happen. */
  readonly children: ReactNode;
  /** The word of the deed: `Restart`. */
  readonly action: string;
  readonly danger?: boolean;
  /** The dialog closes when it is done and stays, with what went wrong, when it fails. */
  onConfirm(): Promise<unknown>;
}

/** Asks before a deed. The way out has the focus first. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { open, onOpenChange, title, children, action, danger = false, onConfirm } = props;
  const focus = useFocusReturn();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ readonly thrown: unknown }>();
  const change = (next: boolean) => {
    setFailure(undefined);
    onOpenChange(next);
  };
  const confirm = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (thrown) {
      setFailure({ thrown });
    } finally {
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={change}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={veil} />
        <AlertDialog.Content
          onCloseAutoFocus={focus.onCloseAutoFocus}
          onOpenAutoFocus={focus.onOpenAutoFocus}
          className={cx(panel, "gap-3 p-4 sm:max-w-md")}
        >
          <AlertDialog.Title className="font-semibold text-large">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="text-soft">{children}</div>
          </AlertDialog.Description>
          {failure && <ErrorState thrown={failure.thrown} small />}
          <div className="mt-1 flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>Cancel</Button>
            </AlertDialog.Cancel>
            <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={confirm}>
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
