import { join } from "node:path";
import { makeLocalProbe, openBuiltinIngress, openProcessRuntime } from "#adapter/adapters.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { cryptoRandom, makeId } from "#base/id.ts";
import type { Trace } from "#base/trace.ts";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { ensureFolder } from "#disk/folder.ts";
import { holdLock, type Lock } from "#disk/lock.ts";
import { api } from "#wire/api.ts";
import type { HubStatus } from "#wire/status.ts";
import { openControl as openDatabase } from "./db/db.ts";
import { openEventLog } from "./event/verbs.ts";
import { makeHandlers, makeProgressChannel } from "./http.ts";
import type { AcceptedLab, RejectedEdit } from "./lab/lab.ts";
import { type LoadedLab, loadLab } from "./lab/load.ts";
import { acceptLab, rejectLab } from "./lab/verbs.ts";
import { watchFiles } from "./lab/watch.ts";
import { writePresence } from "./presence.ts";
import { serve } from "./serve.ts";
import { openControl } from "./service/control.ts";

export interface HubOptions {
  readonly dataFolder: string;
  /** The lab to begin with, loaded and good. */
  readonly lab: LoadedLab;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly ingressPort: number;
  /** Take edits of the lab's files as they come; otherwise only `apply` does. */
  readonly watch: boolean;
  readonly version: string;
  /** Variables every service inherits. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly trace: Trace;
  /** Something people see may have changed. */
  onChange(): void;
}

export interface Hub {
  readonly url: string;
  readonly ingressUrl: string;
  status(): HubStatus;
  /** Resolves when somebody asked the hub to end (`fed down`). */
  readonly ended: Promise<void>;
  /** Stops every service, then everything else. */
  close(): Promise<void>;
}

const ingressCloseMs = 5_000;

/** Opens one hub on one data folder. What was opened is closed again when a later part fails. */
export async function openHub(options: HubOptions, signal: AbortSignal): Promise<Hub> {
  const { dataFolder, clock, trace, host } = options;
  await using opened = new AsyncDisposableStack();
  await ensureFolder(dataFolder);
  opened.adopt(holdFolder(dataFolder), (lock) => lock.close());
  const db = opened.adopt(openDatabase(dataFolder), (open) => open.close());
  const events = openEventLog(db, clock);
  const [token, runtime, ingress] = await openParts(options, opened);
  const progress = makeProgressChannel();
  const makeCorrelation = () => makeId("cor", { nowMs: () => clock.nowMs(), random: cryptoRandom });
  const ended = Promise.withResolvers<void>();
  let lab: AcceptedLab;
  let rejected: RejectedEdit | undefined;

  const ingressUrl = `http://${host}:${ingress.address.port}`;
  const control = openControl({
    ...{ db, events, runtime, ingress, clock, trace, dataFolder },
    probe: makeLocalProbe(clock),
    inherited: options.inherited,
    urlOf: (name) => `http://${name}:${ingress.address.port}`,
    onProgress: (one) => progress.send(one),
    onChange: () => options.onChange(),
  });
  opened.defer(() => control.close());

  const accept = (loaded: LoadedLab, correlation: string, actor = "cli") => {
    rejected = undefined;
    lab = acceptLab({ events, clock }, { actor, correlation }, loaded);
    control.wish(lab, { actor, correlation });
    files?.update(loaded.files);
  };
  const load = (inner: AbortSignal) => loadLab(options.lab.file, { clock }, inner);
  const takeEdit = async () => {
    const loaded = await load(closing.signal);
    const correlation = makeCorrelation();
    if (loaded.kind === "rejected") {
      rejected = rejectLab({ events, clock }, { actor: "file", correlation }, loaded);
      files?.update(loaded.files);
    } else if (loaded.hash !== lab.hash) accept(loaded, correlation, "file");
    else rejected = undefined;
    options.onChange();
  };
  const closing = new AbortController();
  opened.defer(() => closing.abort());
  let edits: Promise<void> = Promise.resolve();
  const files = options.watch
    ? opened.adopt(
        watchFiles(
          options.lab.files,
          options.lab.folder,
          () => {
            edits = edits.then(takeEdit).catch((thrown) => {
              if (!closing.signal.aborted) trace.error("an edit could not be read", { reason: String(thrown) });
            });
          },
          { clock },
        ),
        (open) => open.close(),
      )
    : undefined;
  accept(options.lab, makeCorrelation(), "cli");

  const status = (): HubStatus => {
    const services = control.status();
    return {
      lab: { name: lab.document.name, hash: lab.hash, file: lab.file, acceptedMs: lab.acceptedMs },
      ...(rejected ? { rejected: { atMs: rejected.atMs, diagnostics: [...rejected.diagnostics] } } : {}),
      ready: services.every(({ state }) => state === "healthy"),
      ingress: ingressUrl,
      services: [...services],
    };
  };
  const handlers = makeHandlers({
    ...{ control, runtime, status, load, accept },
    version: options.version,
    progress: (inner) => progress.read(inner),
    end: () => ended.resolve(),
  });
  const served = opened.adopt(
    await serve(api, handlers, { host, port: options.port, token, clock, trace, makeCorrelation }),
    (open) => open.close(),
  );
  const url = `http://${host}:${served.port}`;
  opened.adopt(await writePresence(dataFolder, { url, ingressUrl, pid: process.pid }), (presence) => presence.remove());
  events.deed({ actor: "hub", correlation: makeCorrelation() }, (_tx, emit) =>
    emit("hub", { type: "hub.started", version: options.version, pid: process.pid }),
  );
  await control.begin(signal);
  const parts = opened.move();
  return {
    url,
    ingressUrl,
    status,
    ended: ended.promise,
    async close() {
      events.deed({ actor: "hub", correlation: makeCorrelation() }, (_tx, emit) =>
        emit("hub", { type: "hub.stopping", reason: "asked to" }),
      );
      closing.abort();
      control.leave();
      await control.loop.settled(AbortSignal.timeout(120_000)).catch(() => undefined);
      await parts.disposeAsync();
    },
  };
}

/** One hub, one data folder. */
function holdFolder(dataFolder: string): Lock {
  try {
    return holdLock(join(dataFolder, "hub.lock"));
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== "conflict") throw thrown;
    throw new Fault("conflict", `another hub runs on ${dataFolder}`, {
      hint: `See it with \`fed status\`, end it with \`fed down\`, or choose another folder with --data DIR. (${thrown.message})`,
      cause: thrown,
    });
  }
}

async function openParts(options: HubOptions, opened: AsyncDisposableStack) {
  const { dataFolder, clock, trace, host } = options;
  const token = await readToken(join(dataFolder, "token"));
  const runtime = opened.adopt(
    await openProcessRuntime({ folder: join(dataFolder, "instances"), clock, trace, inherit: options.inherited }),
    (open) => open.close(),
  );
  const ingress = opened.adopt(await openBuiltinIngress({ host, port: options.ingressPort, clock, trace }), (open) =>
    open.close({ deadlineMs: ingressCloseMs }),
  );
  return [token, runtime, ingress] as const;
}

/** The hub's token: made once, readable by its user only. */
async function readToken(path: string): Promise<string> {
  const known = (await readFileIfThere(path))?.trim();
  if (known) return known;
  const token = Buffer.from(cryptoRandom(new Uint8Array(32))).toString("base64url");
  await writeFileAtomic(path, `${token}\n`, { mode: 0o600 });
  return token;
}
