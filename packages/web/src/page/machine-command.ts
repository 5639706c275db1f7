import type { WireMachine } from "@fed/fed/wire/machine.ts";

export interface Command {
  readonly about: string;
  readonly text: string;
}

type Reached = Pick<
  WireMachine,
  "name" | "address" | "tailscale" | "port" | "user" | "mode" | "origin" | "maintenance"
>;

/** Letters that a shell takes as they are; all others are quoted, so that what is copied does only what it says. */
const word = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** What a person may want to type about a machine. Pure. */
export function commandsOf(machine: Reached): readonly Command[] {
  const { name, address, tailscale, port, user, mode, origin, maintenance } = machine;
  const host = address ?? tailscale;
  // One that reports by itself does so because the hub does not reach it there.
  const ssh =
    mode !== "ssh" || host === undefined
      ? []
      : [
          "ssh",
          ...(port === undefined ? [] : ["-p", String(port)]),
          word(user === undefined ? host : `${user}@${host}`),
        ];
  return [
    ...(ssh.length > 0 ? [{ about: "Open a shell on it", text: ssh.join(" ") }] : []),
    { about: "All that is known of it", text: `fed machine show ${word(name)}` },
    maintenance
      ? { about: "End its maintenance", text: `fed machine maintenance ${word(name)} --end` }
      : { about: "Begin its maintenance", text: `fed machine maintenance ${word(name)}` },
    ...(origin === "added" ? [{ about: "Take it out of the fleet", text: `fed machine remove ${word(name)}` }] : []),
  ];
}
