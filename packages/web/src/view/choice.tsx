import type { LucideIcon } from "lucide-react";
import { useId } from "react";

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly options: readonly { readonly value: T; readonly label: string; readonly icon?: LucideIcon }[];
  readonly value: T;
  onChange(value: T): void;
}

/** One of a few, all in sight; arrow keys go from one to the next. */
export function Choice<const T extends string>({ legend, options, value, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 font-medium text-small">{legend}</legend>
      <div className="inline-flex max-w-full flex-wrap gap-1 rounded-large border border-line bg-sunken p-1">
        {options.map(({ value: one, label, icon: Icon }) => (
          <label
            key={one}
            className="flex h-8 cursor-pointer items-center gap-2 rounded-base border border-transparent px-3 text-soft hover:text-ink has-checked:border-edge has-checked:bg-surface has-focus-visible:outline-2 has-checked:font-medium has-checked:text-ink has-focus-visible:outline-accent has-focus-visible:outline-offset-2 pointer-coarse:h-10"
          >
            <input
              type="radio"
              name={name}
              value={one}
              checked={one === value}
              onChange={() => onChange(one)}
              className="sr-only"
            />
            {Icon && <Icon aria-hidden className="size-4" />}
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
