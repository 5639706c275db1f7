/** What stands in the address of a service's page; comes with the first code, so it is small. Pure. */

const tabs = ["live", "releases", "history"] as const;
export type ServiceTab = (typeof tabs)[number];

export interface ServiceSearch {
  readonly tab?: ServiceTab;
  /** Numbers of the two releases that are compared. */
  readonly from?: number;
  readonly to?: number;
}

const isNumber = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;

/** Of an address that anybody may have written: what can be understood. */
export function readServiceSearch({ tab, from, to }: Readonly<Record<string, unknown>>): ServiceSearch {
  const known = tabs.find((one) => one === tab);
  return {
    ...(known === undefined || known === "live" ? {} : { tab: known }),
    ...(isNumber(from) ? { from } : {}),
    ...(isNumber(to) ? { to } : {}),
  };
}
