import type { EventType } from "@fed/fed/wire/event.ts";
import { Filter } from "lucide-react";
import { Button } from "../view/button.tsx";
import { Menu, MenuCheck, MenuItem, MenuLine } from "../view/menu.tsx";
import { chooseNoun, typesByNoun } from "./events-list.ts";

interface TypeMenuProps {
  readonly chosen: readonly EventType[];
  onChange(types: readonly EventType[]): void;
}

/** Which types of events are shown: whole nouns, or some of their types. */
export function TypeMenu({ chosen, onChange }: TypeMenuProps) {
  const word = chosen.length === 0 ? "All types" : chosen.length === 1 ? chosen[0] : `${chosen.length} types`;
  return (
    <Menu
      align="start"
      trigger={
        <Button icon={Filter} aria-label={`Types: ${word}`}>
          {word}
        </Button>
      }
    >
      <MenuItem disabled={chosen.length === 0} onSelect={() => onChange([])}>
        Show all types
      </MenuItem>
      {typesByNoun.map(([noun, types]) => (
        <Noun key={noun} noun={noun} types={types} chosen={chosen} onChange={onChange} />
      ))}
    </Menu>
  );
}

function Noun({
  noun,
  types,
  chosen,
  onChange,
}: TypeMenuProps & { readonly noun: string; readonly types: readonly EventType[] }) {
  const some = types.filter((type) => chosen.includes(type));
  const whole = some.length === types.length ? true : some.length > 0 ? "indeterminate" : false;
  return (
    <>
      <MenuLine />
      <MenuCheck checked={whole} onChange={() => onChange(chooseNoun(chosen, noun, whole !== true))}>
        <span className="font-medium">{noun}</span>
      </MenuCheck>
      {types.length > 1 &&
        types.map((type) => (
          <MenuCheck
            key={type}
            inner
            checked={chosen.includes(type)}
            onChange={(on) => onChange(on ? [...chosen, type] : chosen.filter((one) => one !== type))}
          >
            <span className="font-mono text-small">{type}</span>
          </MenuCheck>
        ))}
    </>
  );
}
