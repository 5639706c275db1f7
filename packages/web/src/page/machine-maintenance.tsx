import { api } from "@fed/fed/wire/api.ts";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, queries } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Input, Select } from "../view/field.tsx";
import { refreshMachine } from "./machine-query.ts";

interface MaintenanceDialogProps {
  readonly name: string;
  onClose(): void;
}

const hour = 3_600_000;
const lengths = [
  { value: "1", word: "1 hour" },
  { value: "4", word: "4 hours" },
  { value: "24", word: "1 day" },
  { value: "168", word: "1 week" },
  { value: "", word: "Until somebody ends it" },
] as const;

/** How long somebody works on a machine, and why. */
export function MaintenanceDialog({ name, onClose }: MaintenanceDialogProps) {
  const [reason, setReason] = useState("");
  const [hours, setHours] = useState("4");
  const begin = useMutation({
    mutationFn: () =>
      client.call(api.maintainMachine, {
        ...{ name, on: true, reason },
        ...(hours === "" ? {} : { untilMs: Date.now() + Number(hours) * hour }),
      }),
    async onSuccess() {
      await refreshMachine(queries, name);
      onClose();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    begin.mutate();
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Maintenance of ${name}`}
      about="It is looked at as before, but nobody is told when it goes."
    >
      <form onSubmit={send} className="flex flex-col gap-4">
        <Field label="For how long">
          {(control) => (
            <Select {...control} value={hours} onChange={({ target }) => setHours(target.value)}>
              {lengths.map(({ value, word }) => (
                <option key={value} value={value}>
                  {word}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Why" hint="For whoever sees it; may be left empty.">
          {(control) => (
            <Input
              {...control}
              value={reason}
              maxLength={500}
              placeholder="new disk"
              onChange={({ target }) => setReason(target.value)}
            />
          )}
        </Field>
        {begin.error && <ErrorState thrown={begin.error} small />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={begin.isPending}>
            Begin maintenance
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
