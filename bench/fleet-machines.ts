/**
 * A process of simulated machines, for `fleet.ts`: one SSH server for all addresses of 127.0.0.0/8, whose "sh" answers what the hub's
 * program is asked with the recorded sections of a real machine, their counters moving. A machine is known by who logs in. Told and
 * heard by IPC.
 */
import type { AddressInfo } from "node:net";
import ssh2, { type AuthContext, type ServerChannel } from "ssh2";

/** What each word that the program can be asked for said on a real machine. */
export type Recorded = Readonly<Record<string, { readonly text: string; readonly code: string }>>;

export type Told =
  | {
      readonly kind: "start";
      readonly recorded: Recorded;
      /** Of the hub's key, in OpenSSH's form. */
      readonly publicKey: string;
      readonly hostKey: string;
    }
  /** From now on this machine has this load. */
  | { readonly kind: "load"; readonly machine: string; readonly load: string };

export type Said = { readonly kind: "listening"; readonly port: number };

const loads = new Map<string, string>();

function startServer({ recorded, publicKey, hostKey }: Extract<Told, { kind: "start" }>): void {
  const key = ssh2.utils.parseKey(publicKey);
  if (key instanceof Error) throw key;
  const isOurs = (asked: AuthContext) => {
    if (asked.method !== "publickey" || !asked.key.data.equals(key.getPublicSSH())) return false;
    return (
      asked.blob === undefined || key.verify(asked.blob, asked.signature ?? Buffer.alloc(0), asked.hashAlgo) === true
    );
  };
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    let machine = "";
    client.on("error", () => {});
    client.on("authentication", (asked) => {
      machine = asked.username;
      if (isOurs(asked)) asked.accept();
      else asked.reject(["publickey"]);
    });
    client.on("session", (accept) => {
      accept().on("exec", (take) => playShell(take(), recorded, machine));
    });
  });
  server.listen(0, "0.0.0.0", () => say({ kind: "listening", port: (server.address() as AddressInfo).port }));
}

/** As much of a shell as the hub speaks with: it says the marks it is told to say, then a tick for each that is asked for. */
function playShell(channel: ServerChannel, recorded: Recorded, machine: string): void {
  let rest = "";
  let mark = "";
  channel.on("error", () => {});
  channel.setEncoding("latin1").on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, begun, word] = /^echo "([0-9a-f]{16,}) (run|ready) \$\$"$/.exec(line) ?? [];
      const [, program] = /^M=([A-Za-z0-9]{16,})$/.exec(line) ?? [];
      if (begun !== undefined) {
        channel.write(`${begun} ${word} 4242\n`);
        channel.stderr.write(`${begun}\n`);
      }
      mark = program ?? mark;
      if (line.startsWith("tick ")) channel.write(tickOf(line.split(" "), { recorded, machine, mark }));
    }
  });
  channel.on("end", () => {
    channel.exit(0);
    channel.end();
  });
}

const startedMs = Date.now();

function tickOf(
  [, sequence = "", ...words]: readonly string[],
  { recorded, machine, mark }: { readonly recorded: Recorded; readonly machine: string; readonly mark: string },
): string {
  const now = (Date.now() / 1_000).toFixed(9);
  const sections = words.map((word) => {
    const { text, code } = recorded[word] ?? { text: "", code: "127" };
    return `${movedOn(text, machine)}\n${mark} section ${word} ${code}\n`;
  });
  return `\n${mark} tick ${sequence} ${now} 1000.00 1000.00\n${sections.join("")}\n${mark} end ${sequence}\n`;
}

/** Counters grow by a hundredth of themselves in an hour, each machine's from another begin; the load is what it was told to be. */
function movedOn(text: string, machine: string): string {
  const seconds = (Date.now() - startedMs) / 1_000;
  const part = 1 + seconds / 360_000 + Number(machine.replace(/\D/g, "")) / 10_000;
  const load = loads.get(machine) ?? (1 + (seconds % 60) / 60).toFixed(2);
  return text
    .replace(/(?<=[ :\t])\d{5,14}(?=[ \n])/g, (digits) => String(Math.round(Number(digits) * part)))
    .replace(/(?<=\/proc\/loadavg <==\n)\S+/, load);
}

function say(said: Said): void {
  process.send?.(said);
}

process.on("message", (told: Told) => {
  if (told.kind === "start") startServer(told);
  else loads.set(told.machine, told.load);
});
process.on("disconnect", () => process.exit(0));
