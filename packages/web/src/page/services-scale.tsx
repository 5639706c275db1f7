import { api } from "@fed/fed/wire/api.ts";
import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, queries, statusQuery } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Input } from "../view/field.tsx";

/** As the endpoint takes them. */
const mostReplicas = 100;

interface ScaleDialogProps {
  readonly service: ServiceStatus;
  onClose(): void;
}

/** How many instances of a service run, by hand or as the lab says. */
export function ScaleDialog({ service: { environment, service, replicas }, onClose }: ScaleDialogProps) {
  const [text, setText] = useState(String(replicas.wanted));
  const count = Number(text);
  const wrong = text.trim() === "" || !Number.isInteger(count) || count < 0 || count > mostReplicas;
  const scale = useMutation({
    mutationFn: (wanted: number | undefined) =>
      client.call(api.scaleService, { environment, service, ...(wanted === undefined ? {} : { replicas: wanted }) }),
    async onSuccess() {
      await queries.invalidateQueries({ queryKey: statusQuery.queryKey });
      onClose();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong) scale.mutate(count);
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Scale ${environment}/${service}`}
      about="The number holds until the lab says another one."
    >
      <form onSubmit={send} className="flex flex-col gap-4">
        <Field
          label="Instances"
          hint={`${replicas.healthy} of ${replicas.wanted} are healthy now.`}
          error={wrong ? `a whole number from 0 to ${mostReplicas}` : undefined}
        >
          {(control) => (
            <Input
              {...control}
              type="number"
              inputMode="numeric"
              min={0}
              max={mostReplicas}
              value={text}
              onChange={({ target }) => setText(target.value)}
              className="max-w-32"
            />
          )}
        </Field>
        {scale.error && <ErrorState thrown={scale.error} small />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button disabled={scale.isPending} onClick={() => scale.mutate(undefined)}>
            As the lab says
          </Button>
          <Button kind="primary" type="submit" busy={scale.isPending} disabled={wrong}>
            Scale
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
