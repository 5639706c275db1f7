import { ChevronDown, Search } from "lucide-react";
import { Switch as Radix } from "radix-ui";
import { type ComponentProps, type ReactNode, useId } from "react";
import { cx } from "./class-names.ts";
import { sentence } from "./fault.ts";

const control =
  "w-full min-w-0 rounded-base border border-edge bg-surface px-2.5 text-ink hover:border-soft disabled:cursor-not-allowed disabled:bg-sunken disabled:text-faint aria-invalid:border-bad h-8 pointer-coarse:h-10 pointer-coarse:text-large";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={cx(control, className)} />;
}

interface SearchInputProps {
  /** What is looked through: the label and, small, what is in the empty field. */
  readonly label: string;
  readonly value: string;
  onChange(value: string): void;
  readonly className?: string;
  /** Id of a list of proposals. */
  readonly list?: string;
}

/** Looks through what is on the page; Escape empties it. */
export function SearchInput({ label, value, onChange, className, list }: SearchInputProps) {
  return (
    <span className={cx("relative inline-flex min-w-32", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2 size-4 -translate-y-1/2 text-faint" />
      <Input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        list={list}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || value === "") return;
          event.stopPropagation();
          onChange("");
        }}
        className="pl-8"
      />
    </span>
  );
}

/** The browser's own list of choices: it fits every screen and every assistive technology. */
export function Select({ className = "w-full", children, ...rest }: ComponentProps<"select">) {
  return (
    <span className={cx("relative inline-flex", className)}>
      <select {...rest} className={cx(control, "appearance-none pr-8")}>
        {children}
      </select>
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-2 size-4 -translate-y-1/2 text-soft"
      />
    </span>
  );
}

/** What a control inside of a Field is given. */
interface FieldControl {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

interface FieldProps {
  readonly label: string;
  /** What may be typed, or what it is for. */
  readonly hint?: ReactNode;
  /** What is wrong with what was typed, and what to do. */
  readonly error?: string | undefined;
  children(control: FieldControl): ReactNode;
  readonly className?: string;
}

/** A control with its label and its hint, or what is wrong with it in the hint's place, tied together for who listens. */
export function Field({ label, hint, error, children, className }: FieldProps) {
  const id = useId();
  const [hintId, errorId] = [`${id}-hint`, `${id}-error`];
  const described = error !== undefined ? errorId : hint !== undefined ? hintId : undefined;
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className="font-medium text-small">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described,
        "aria-invalid": error === undefined ? undefined : true,
      })}
      {hint !== undefined && error === undefined && (
        <p id={hintId} className="text-small text-soft">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={errorId} role="alert" className="text-bad text-small">
          {sentence(error)}
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly checked: boolean;
  onChange(checked: boolean): void;
  readonly disabled?: boolean;
  /** The label is only read out. */
  readonly bare?: boolean;
}

export function Switch({ label, checked, onChange, disabled, bare = false }: SwitchProps) {
  const id = useId();
  return (
    <span className="inline-flex h-8 items-center gap-2 pointer-coarse:h-10">
      <Radix.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        aria-label={bare ? label : undefined}
        className="relative h-5 w-9 shrink-0 after:absolute after:-inset-2.5 rounded-full border border-edge bg-sunken transition-colors data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <Radix.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-soft transition-transform data-[state=checked]:translate-x-4.5 data-[state=checked]:bg-on-accent" />
      </Radix.Root>
      {!bare && (
        <label htmlFor={id} className="flex h-full cursor-pointer items-center whitespace-nowrap text-soft">
          {label}
        </label>
      )}
    </span>
  );
}
