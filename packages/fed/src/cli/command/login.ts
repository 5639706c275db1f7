import { Fault, isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { type Client, makeClient } from "#wire/client.ts";
import { type Call, defineCommand } from "../command.ts";
import { httpFetch } from "../http-fetch.ts";
import { hubOf } from "../hub-flags.ts";
import { openLoginStore } from "../login-store.ts";
import { isLoopback } from "../loopback.ts";
import { askLine, askSecret, readPassword, requirePerson } from "../prompt.ts";

export const command = defineCommand({
  args: {
    url: { kind: "url", optional: true, description: "Address of the hub; FED_HUB or the last one when left out" },
  },
  flags: {
    name: { kind: "text", value: "NAME", short: "n", description: "Who signs in; asked for when left out" },
    passwordStdin: { kind: "switch", description: "Read the password from stdin instead of asking" },
  },
  details: [
    "Later commands use this hub by --hub URL or FED_HUB, and by themselves where no hub runs on this machine.",
    "On the hub's own machine no login is needed.",
  ],
  examples: [
    { line: "fed login http://hub.home:4747", says: "sign in, asking for name and password" },
    { line: "pass hub | fed login http://hub.home:4747 -n ada --password-stdin", says: "without asking" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const logins = openLoginStore(env.configFolder);
    const url = args.url ?? hubOf(env) ?? (await logins.last());
    if (url === undefined) {
      throw new Fault("invalid", "no hub is named, and nobody has signed in here before", {
        hint: "fed login http://hub.example.org:4747",
      });
    }
    warnOfPlainText(url, screen);
    if (flags.name === undefined) requirePerson("give --name NAME and --password-stdin");
    if (!flags.passwordStdin) requirePerson("give --password-stdin, and the password on stdin");
    const client = makeClient({ url, fetch: httpFetch });
    await requireHub(client, url, signal);
    const name = flags.name ?? (await askLine("Name: ", signal));
    const password = flags.passwordStdin
      ? await readPassword()
      : await askSecret(`Password of ${name} at ${url}: `, signal);
    const grant = await client.call(api.login, { name, password }, signal);
    await logins.save(url, grant);
    if (screen.json) screen.data({ url, name: grant.user.name, role: grant.user.role });
    screen.line({ text: "signed in ", style: "good" }, `as ${grant.user.name} (${grant.user.role}) at ${url}`);
    return 0;
  },
});

/** Before anybody types a password for nothing, or it is sent to who knows whom. */
async function requireHub(client: Client, url: string, signal: AbortSignal): Promise<void> {
  try {
    await client.call(api.health, {}, signal);
  } catch (thrown) {
    if (signal.aborted || !isFault(thrown)) throw thrown;
    const what = thrown.code === "unreachable" ? "no hub answers there" : "what answers there is no hub";
    throw new Fault("unreachable", `cannot sign in at ${url}: ${what}`, {
      hint: "Look at the address: `fed up` prints it as api=…",
      cause: thrown,
    });
  }
}

function warnOfPlainText(url: string, screen: Call["screen"]): void {
  if (url.startsWith("https:") || isLoopback(url)) return;
  screen.note(
    { text: "warning: ", style: "warn" },
    `${url} is not encrypted: everybody on the way can read the password. Use https, or a tunnel (ssh -L).`,
  );
}
