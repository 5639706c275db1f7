import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { machineNameShape } from "#wire/fleet.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { kindFlag, stateStyles } from "../machine-words.ts";
import { checkValue } from "../value.ts";

export const command = defineCommand({
  args: {
    place: { kind: "text", description: "Where SSH finds it: node5.lan, ada@192.168.1.5 or ada@node5.lan:2222" },
  },
  flags: {
    ...hubFlags,
    name: { kind: "text", description: "What it is called in the fleet (its host name when left out)" },
    kind: kindFlag,
  },
  details: [
    "Takes a machine into the fleet that does not stand in the lab file, and looks at it. Nothing is installed on it: the",
    "hub logs in by SSH with its own keys and agent, or with what fed credential set put into the vault. A machine that",
    "the hub cannot reach joins by itself: fed machine join.",
  ],
  examples: [
    { line: "fed machine add ada@node5.lan", says: "a server called node5" },
    { line: "fed machine add 192.168.1.9 --name mbp --kind workstation", says: "a laptop" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { user, address, port } = readPlace(args.place);
    const name = nameOf(flags.name, address);
    const client = await openClient(flags, env, signal);
    const added = { name, kind: flags.kind, address, ...(user && { user }), ...(port && { port }) };
    await client.call(api.addMachine, added, signal);
    const machine = await client.call(api.lookAtMachine, { name }, signal);
    if (screen.json) screen.data(machine);
    screen.line(
      `${name} is in the fleet: `,
      { text: machine.state, style: stateStyles[machine.state] },
      machine.detail === "" ? "" : ` (${machine.detail})`,
    );
    return 0;
  },
});

/** `user@host:port`; an IPv6 address with a port stands in brackets. */
function readPlace(text: string): { readonly user?: string; readonly address: string; readonly port?: number } {
  const { user, bracketed, host, port } =
    /^(?:(?<user>[A-Za-z_][A-Za-z0-9_.-]*\$?)@)?(?:\[(?<bracketed>[^\]]+)\]|(?<host>[^:]+|[^[\]]*:[^[\]]*:[^[\]]*))(?::(?<port>\d{1,5}))?$/.exec(
      text,
    )?.groups ?? {};
  const place = bracketed ?? host;
  if (place === undefined) {
    throw new Fault("invalid", `${JSON.stringify(text)} is no place of a machine`, {
      hint: "Write it as SSH has it: node5.lan, ada@192.168.1.5, ada@node5.lan:2222",
    });
  }
  const address = String(checkValue("the address", { kind: "host" }, place, "/"));
  const number = port === undefined ? undefined : Number(checkValue("the port", { kind: "port" }, port, "/"));
  if (number === 0) throw new Fault("invalid", "nothing listens on port 0", { hint: "Leave it out for port 22." });
  return { ...(user === undefined ? {} : { user }), address, ...(number === undefined ? {} : { port: number }) };
}

/** The first word of a host name; an address is no name. */
function nameOf(given: string | undefined, address: string): string {
  const isNumber = /^[\d.]+$/.test(address) || address.includes(":");
  const name = given ?? (isNumber ? undefined : address.split(".")[0]?.toLowerCase());
  if (name === undefined)
    throw new Fault("invalid", "what is it called?", { hint: "An address is no name: add --name NAME." });
  if (machineNameShape.safeParse(name).success) return name;
  throw new Fault("invalid", `${JSON.stringify(name)} is no name for a machine`, {
    hint: "Add --name with lower-case letters, digits and dashes, at most 63.",
  });
}
