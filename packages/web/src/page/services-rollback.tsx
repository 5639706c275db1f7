import { api } from "@fed/fed/wire/api.ts";
import type { WireRelease } from "@fed/fed/wire/release.ts";
import { useMutation, useQueries } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { Dialog } from "../view/dialog.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Field, Select } from "../view/field.tsx";
import { ageText } from "../view/format.ts";
import { artifactText } from "../view/release.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { useBegun } from "./services-begun.ts";
import { Changes, diffQuery } from "./services-diff.tsx";
import { likelyChoice, type ReleaseList, rollbackChoices, sameContent, wantedOf } from "./services-release.ts";

interface RollbackDialogProps {
  readonly place: { readonly environment: string; readonly service: string };
  readonly list: ReleaseList;
  /** The release that was chosen already; else what is meant most likely. */
  readonly to?: number;
  onClose(): void;
}

/** Asks which release is to serve again, and shows what that changes. */
export function RollbackDialog({ place, list, to, onClose }: RollbackDialogProps) {
  const key = `${place.environment}/${place.service}`;
  const wanted = wantedOf(list);
  const choices = rollbackChoices(list);
  const diffs = useQueries({
    queries: wanted ? choices.map(({ number }) => diffQuery(place, wanted.number, number)) : [],
  });
  const same = new Set(
    choices.filter((_, at) => sameContent(diffs[at]?.data?.changes ?? [{ field: "?" }])).map(({ number }) => number),
  );
  const [chosen, setChosen] = useState(to);
  const number = chosen ?? likelyChoice(choices, wanted, same);
  const diff = diffs[choices.findIndex((one) => one.number === number)];
  const begun = useBegun();
  const rollback = useMutation({
    mutationFn: () => client.call(api.rollback, { ...place, ...(number === undefined ? {} : { to: number }) }),
    async onSuccess({ rollout }) {
      onClose();
      await begun(rollout);
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    rollback.mutate();
  };
  return (
    <Dialog
      open
      wide
      onOpenChange={onClose}
      title={`Roll back ${key}?`}
      about="The release serves again exactly as it was, until the lab changes this service or somebody deploys."
    >
      <form onSubmit={send} className="flex flex-col gap-4">
        <Field label="To which release">
          {(control) => (
            <Select {...control} value={number ?? ""} onChange={({ target }) => setChosen(Number(target.value))}>
              {choices.map((one) => (
                <option key={one.id} value={one.number}>
                  {choiceText(one, same.has(one.number))}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <div className="min-h-28">
          {wanted && (
            <p className="mb-2 font-medium text-small">
              What changes{number === undefined ? "" : `, from release ${wanted.number} to ${number}`}
            </p>
          )}
          {diff?.data && <Changes diff={diff.data} />}
          {diff?.error && !diff.data && <ErrorState thrown={diff.error} small retry={() => void diff.refetch()} />}
          {diff?.isPending && <SkeletonRows label="Comparing" />}
        </div>
        {rollback.error && <ErrorState thrown={rollback.error} small />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={rollback.isPending} disabled={number === undefined}>
            {number === undefined ? "Roll back" : `Go back to release ${number}`}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function choiceText({ number, artifact, madeMs }: WireRelease, same: boolean): string {
  const parts = [`Release ${number}`, artifactText(artifact).text, `made ${ageText(madeMs, Date.now())}`];
  return [...parts, ...(same ? ["says the same"] : [])].join(", ");
}
