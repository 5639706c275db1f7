import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ArrowLeftRight } from "lucide-react";
import { IconButton } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { Select } from "../view/field.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Changes, diffQuery } from "./services-diff.tsx";
import { comparedOf, type ReleaseList } from "./services-release.ts";

interface CompareProps {
  readonly place: { readonly environment: string; readonly service: string };
  readonly list: ReleaseList;
}

/** What changed between two releases that the reader chooses; the choice stands in the address. */
export function Compare({ place, list }: CompareProps) {
  const search = useSearch({ from: "/inside/services/$environment/$service" });
  const navigate = useNavigate({ from: "/services/$environment/$service" });
  const compared = comparedOf(list, search);
  if (compared === undefined) return null;
  const { from, to } = compared;
  const choose = (chosen: { from?: number; to?: number }) =>
    void navigate({ resetScroll: false, replace: true, search: (before) => ({ ...before, from, to, ...chosen }) });
  return (
    <Card title="Compare" about="What one release says otherwise than another">
      <div className="mb-4 flex items-center gap-2">
        <Choice label="From" list={list} value={from} onChange={(number) => choose({ from: number })} />
        <IconButton label="Swap the two" icon={ArrowLeftRight} onClick={() => choose({ from: to, to: from })} />
        <Choice label="To" list={list} value={to} onChange={(number) => choose({ to: number })} />
      </div>
      <Difference key={`${from} ${to}`} place={place} from={from} to={to} />
    </Card>
  );
}

interface DifferenceProps {
  readonly place: CompareProps["place"];
  readonly from: number;
  readonly to: number;
}

function Difference({ place, from, to }: DifferenceProps) {
  const { data, error, refetch } = useQuery(diffQuery(place, from, to));
  if (data) return <Changes diff={data} />;
  return error ? <ErrorState thrown={error} small retry={() => void refetch()} /> : <SkeletonRows label="Comparing" />;
}

interface ChoiceProps {
  readonly label: string;
  readonly list: ReleaseList;
  readonly value: number;
  onChange(number: number): void;
}

function Choice({ label, list, value, onChange }: ChoiceProps) {
  return (
    <Select
      aria-label={label}
      value={value}
      onChange={({ target }) => onChange(Number(target.value))}
      className="w-40 max-sm:w-full"
    >
      {list.releases.map(({ number }) => (
        <option key={number} value={number}>
          Release {number}
        </option>
      ))}
    </Select>
  );
}
