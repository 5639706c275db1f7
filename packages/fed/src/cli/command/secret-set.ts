import { api } from "#wire/api.ts";
import type { OutputOf } from "#wire/endpoint.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import type { Screen } from "../print.ts";
import { readSecretInput } from "../secret-input.ts";
import { environmentFlag, secretArg, secretText } from "../secret-name.ts";

export const command = defineCommand({
  args: secretArg,
  flags: {
    ...{ ...hubFlags, ...environmentFlag },
    file: { kind: "file", value: "FILE", description: "Read the value from this file" },
  },
  details: [
    "Seals a new version of the value in the hub's vault. It is read from a file or from stdin, or asked for; never from the",
    "command line, which other users of a machine can see. The end of a single line is no part of the value.",
    "What runs keeps the version it has: fed apply and fed deploy make releases with the newest, fed rollback goes back.",
    "What could not begin for want of this secret begins by itself.",
  ],
  examples: [
    { line: "fed secret set BLOG_DB --env prod", says: "asks for the value in prod" },
    {
      line: "openssl rand -hex 32 | fed secret set SESSION_KEY",
      says: "one for all environments, which nobody has seen",
    },
    { line: "fed secret set TLS_KEY --file ./tls.key", says: "from a file" },
  ],
  async run({ args: { name }, flags, env, screen, signal }) {
    const environment = flags.env;
    const client = await openClient(flags, env, signal);
    const wanted = { what: name, file: flags.file, question: `Value of ${name}: `, asIs: true };
    const given = await readSecretInput(wanted, signal);
    const value = withoutLineEnd(given);
    const answer = await client.call(api.setSecret, { name, environment, value }, signal);
    if (screen.json) screen.data({ name, environment, ...answer });
    else tell(screen, secretText(name, environment), answer);
    return 0;
  },
});

/** Files of several lines, such as keys, are taken as they are: OpenSSH wants the last line's end. */
function withoutLineEnd(text: string): string {
  const line = text.replace(/\r?\n$/, "");
  return line.includes("\n") ? text : line;
}

function tell(
  screen: Screen,
  text: string,
  { version, changed, declared, uses, begins }: OutputOf<typeof api.setSecret>,
): void {
  screen.line(
    changed ? `${text}: version ${version} is in the vault` : `${text} had that value: version ${version} stays`,
  );
  if (!declared) screen.note({ text: "the lab has no such secret or environment yet", style: "warn" });
  if (begins.length > 0) screen.line(`${begins.join(", ")} waited for it and begins now`);
  const others = uses.filter(({ environment, by }) => environment !== undefined && !begins.includes(by));
  const services = others.map(({ by }) => by);
  if (changed && services.length > 0) screen.note(`fed apply gives it to ${services.join(", ")}.`);
}
