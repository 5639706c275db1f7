import { api } from "@fed/fed/wire/api.ts";
import { secretNameShape } from "@fed/fed/wire/secret.ts";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, queries, secretsQuery, statusQuery } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Input, Select } from "../view/field.tsx";
import { toast } from "../view/toast-store.ts";

/** Of a secret, for which environment: what a value is set for. */
export interface SecretPlace {
  readonly name: string;
  readonly environment?: string | undefined;
}

interface SetSecretProps {
  /** What is known already of what it is for. */
  readonly place: Partial<SecretPlace>;
  onClose(): void;
}

/** Takes a value, which is nowhere shown again. */
export function SetSecret({ place, onClose }: SetSecretProps) {
  const { data: status } = useQuery(statusQuery);
  const [name, setName] = useState(place.name ?? "");
  const [environment, setEnvironment] = useState(place.environment ?? "");
  const [value, setValue] = useState("");
  const unfit = name !== "" && !secretNameShape.safeParse(name).success;
  const set = useMutation({
    mutationFn: () => client.call(api.setSecret, { name, value, ...(environment === "" ? {} : { environment }) }),
    async onSuccess({ version, changed, declared, begins }) {
      await queries.invalidateQueries({ queryKey: secretsQuery.queryKey });
      const next =
        begins.length > 0 ? `${begins.join(", ")} waited for it and begins now.` : "The next release gets it.";
      const detail = declared ? next : "The lab names no such secret yet.";
      if (changed) toast({ tone: declared ? "good" : "warn", title: `${name} has version ${version}`, detail });
      else toast({ tone: "info", title: `${name} has this value already`, detail: `It stays version ${version}.` });
      onClose();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!unfit && name !== "" && value !== "") set.mutate();
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={place.name === undefined ? "Set a secret" : `Set ${place.name}`}
      about="What runs keeps the version it has; the next release takes the new one."
    >
      <form onSubmit={send} autoComplete="off" className="flex flex-col gap-4">
        {place.name === undefined && (
          <Field
            label="Name"
            error={unfit ? "letters, digits and underscores, not beginning with a digit" : undefined}
            hint="As the lab names it."
          >
            {(control) => (
              <Input
                {...control}
                value={name}
                maxLength={128}
                spellCheck={false}
                onChange={({ target }) => setName(target.value.trim())}
              />
            )}
          </Field>
        )}
        <Field label="For" hint="A value of one environment goes before the one of all.">
          {(control) => (
            <Select {...control} value={environment} onChange={({ target }) => setEnvironment(target.value)}>
              <option value="">All environments</option>
              {[...new Set([...(status?.environments ?? []), ...(environment === "" ? [] : [environment])])].map(
                (one) => (
                  <option key={one} value={one}>
                    {one}
                  </option>
                ),
              )}
            </Select>
          )}
        </Field>
        <Field label="Value" hint="Of several lines: by the command line, fed secret set.">
          {(control) => (
            <Input
              {...control}
              type="password"
              value={value}
              autoComplete="new-password"
              maxLength={65_536}
              onChange={({ target }) => setValue(target.value)}
            />
          )}
        </Field>
        {set.error && <ErrorState thrown={set.error} small />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={set.isPending} disabled={unfit || name === "" || value === ""}>
            Set the value
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
