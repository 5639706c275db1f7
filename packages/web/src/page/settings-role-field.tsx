import type { Role } from "@fed/fed/wire/role.ts";
import { Field, Select } from "../view/field.tsx";

/** What each role may do, in a line. */
const hints: Readonly<Record<Role, string>> = {
  viewer: "Sees everything, changes nothing.",
  operator: "Also applies the lab and restarts services.",
  admin: "Also manages users and stops the hub.",
};

interface RoleFieldProps {
  readonly role: Role;
  readonly roles: readonly Role[];
  onChange(role: Role): void;
}

export function RoleField({ role, roles, onChange }: RoleFieldProps) {
  return (
    <Field label="Role" hint={hints[role]}>
      {(control) => (
        <Select
          {...control}
          value={role}
          onChange={({ target }) => onChange(roles.find((one) => one === target.value) ?? role)}
        >
          {roles.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
      )}
    </Field>
  );
}
