import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import { type HandClock, handClock } from "#base/hand-clock.ts";
import { holdLock } from "#disk/lock.ts";
import type { Grant } from "#wire/user.ts";
import { openLoginStore } from "./login-store.ts";

const url = "http://hub.home:4747";
const other = "http://other.home:4747";
const going = () => new AbortController().signal;

function grantOf(n: number): Grant {
  const user = { id: "usr_1", name: "ada", role: "admin", state: "active", createdMs: 0 } as const;
  return { accessToken: `access-${n}`, refreshToken: `refresh-${n}`, expiresInSeconds: 600, user };
}

/** A hub as far as refresh tokens go: each works once, and an old one ends the session. */
function fakeHub() {
  let n = 1;
  let ended = false;
  const shown: string[] = [];
  const gate = { open: Promise.resolve() };
  const answer: typeof fetch = async (_url, init) => {
    const { refreshToken } = JSON.parse(String(init?.body)) as { readonly refreshToken: string };
    shown.push(refreshToken);
    ended ||= refreshToken !== `refresh-${n}`;
    n++;
    const reply = ended ? new Response("{}", { status: 401 }) : Response.json(grantOf(n));
    await gate.open;
    init?.signal?.throwIfAborted();
    return reply;
  };
  return {
    fetch: answer,
    shown,
    gate,
    end() {
      ended = true;
    },
  };
}

function home(clock: HandClock = handClock()) {
  const folder = mkdtempSync(join(tmpdir(), "fed-login-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "fed");
  const hub = fakeHub();
  const open = (send: typeof fetch = hub.fetch) => openLoginStore(config, { clock, fetch: send });
  const path = join(config, "logins.json");
  return { clock, config, path, hub, open, store: open() };
}

async function signedIn() {
  const at = home();
  await at.store.save(other, grantOf(70));
  await at.store.save(url, grantOf(1));
  return at;
}

describe("what is kept", () => {
  test("is for its owner only, and a whole file at any time", async () => {
    const { config, path, store } = await signedIn();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(config).mode & 0o777).toBe(0o700);
    writeFileSync(path, readFileSync(path), { mode: 0o644 });
    await store.save(url, grantOf(2));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(config).filter((name) => name.includes("tmp"))).toEqual([]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ last: url, logins: { [url]: { name: "ada" } } });
  });

  test("is found again by another process, by address", async () => {
    const { open } = await signedIn();
    const again = open();
    expect(await again.last()).toBe(url);
    expect(await again.nameAt(other)).toBe("ada");
    expect(await again.accessToken(other, going())).toBe("access-70");
    expect(await again.accessToken("http://third", going())).toBeUndefined();
    expect(await again.remove(url)).toBe(true);
    expect(await again.remove(url)).toBe(false);
    expect(await again.last()).toBeUndefined();
    expect(await again.accessToken(other, going())).toBe("access-70");
  });

  test("is nothing at first", async () => {
    const { store } = home();
    expect([await store.last(), await store.nameAt(url), await store.accessToken(url, going())]).toEqual(
      Array(3).fill(undefined),
    );
  });

  test.each(["", "{", "[]", '{"logins":{"x":1}}'])("is not guessed from a damaged file: %j", async (text) => {
    const { path, store } = await signedIn();
    writeFileSync(path, text);
    await expect(store.last()).rejects.toMatchObject({ code: "invalid", message: `${path} is not what fed wrote` });
    expect(readFileSync(path, "utf8")).toBe(text);
  });
});

describe("an access token", () => {
  test("is used until shortly before its end, then exchanged", async () => {
    const { clock, hub, store } = await signedIn();
    await clock.turn(569_000);
    expect(await store.accessToken(url, going())).toBe("access-1");
    expect(await store.freshToken(url)).toBe("access-1");
    await clock.turn(1_000);
    expect(await store.freshToken(url)).toBeUndefined();
    expect(await store.accessToken(url, going())).toBe("access-2");
    expect(await store.accessToken(url, going())).toBe("access-2");
    expect(hub.shown).toEqual(["refresh-1"]);
  });

  test("is exchanged once when many want it at the same time", async () => {
    const { clock, hub, open } = await signedIn();
    await clock.turn(600_000);
    const asking = Array.from({ length: 2 }, () => open().accessToken(url, going()));
    let done = false;
    const all = Promise.all(asking).finally(() => {
      done = true;
    });
    // Those who wait for the lock look again by the clock.
    while (!done) {
      await clock.turn(50);
      await new Promise(setImmediate);
    }
    expect(new Set(await all)).toEqual(new Set(["access-2"]));
    expect(hub.shown).toEqual(["refresh-1"]);
  });

  test("that the hub refuses is exchanged though it looked good, unless another process has done it", async () => {
    const { hub, store, open } = await signedIn();
    expect(await store.renew(url, "access-1", going())).toBe("access-2");
    expect(await open().renew(url, "access-1", going())).toBe("access-2");
    expect(hub.shown).toEqual(["refresh-1"]);
    expect(await store.renew("http://third", "x", going())).toBeUndefined();
  });
});

describe("an exchange", () => {
  test("that is under way is not broken off: what comes is kept before the abort is heard", async () => {
    const { clock, hub, store, open } = await signedIn();
    await clock.turn(600_000);
    const gate = Promise.withResolvers<void>();
    hub.gate.open = gate.promise;
    const controller = new AbortController();
    const asked = store.accessToken(url, controller.signal).catch((thrown: unknown) => thrown);
    while (hub.shown.length === 0) await new Promise(setImmediate);
    controller.abort(new Error("Ctrl-C"));
    gate.resolve();
    expect(await asked).toBe(controller.signal.reason);
    expect(await open().accessToken(url, going())).toBe("access-2");
    expect(hub.shown).toEqual(["refresh-1"]);
  });

  test("that is refused says that a sign-in is needed, and forgets nothing else", async () => {
    const { clock, hub, store } = await signedIn();
    hub.end();
    await clock.turn(600_000);
    await expect(store.accessToken(url, going())).rejects.toMatchObject({
      code: "unauthenticated",
      message: `the sign-in of ada at ${url} has ended`,
      hint: `Sign in again: fed login ${url}`,
    });
    expect(await store.nameAt(url)).toBeUndefined();
    expect(await store.last()).toBe(url);
    expect(await store.nameAt(other)).toBe("ada");
  });

  test.each([
    ["unreachable", () => Promise.reject(new TypeError("fetch failed"))],
    ["limited", async () => new Response("{}", { status: 429 })],
    ["conflict", async () => new Response("{}", { status: 409 })],
  ] as const)("that fails for another reason (%s) keeps everything, and is told at once", async (code, send) => {
    const { clock, open } = await signedIn();
    await clock.turn(600_000);
    await expect(open(send).accessToken(url, going())).rejects.toMatchObject({ code });
    expect(await open().accessToken(url, going())).toBe("access-2");
  });

  test("that gets no answer ends", async () => {
    const { clock, hub, store } = await signedIn();
    await clock.turn(600_000);
    hub.gate.open = new Promise(() => {});
    const asked = store.accessToken(url, going()).catch((thrown: unknown) => thrown);
    while (hub.shown.length === 0) await new Promise(setImmediate);
    await clock.turn(15_000);
    expect(await asked).toMatchObject({ code: "timeout" });
  });
});

describe("the lock", () => {
  test("of another is waited for, but not for ever", async () => {
    const { config, open } = await signedIn();
    const lock = holdLock(join(config, "logins.json.lock"));
    onTestFinished(() => lock.close());
    let tickMs = 0;
    const hurried: Clock = {
      nowMs: () => Date.now(),
      tickMs: () => tickMs,
      after(_, wake) {
        tickMs += 10_000;
        const timer = setImmediate(wake);
        return { cancel: () => clearImmediate(timer) };
      },
    };
    const store = openLoginStore(config, { clock: hurried });
    await expect(store.remove(url)).rejects.toMatchObject({ code: "conflict", details: { pid: process.pid } });
    expect(tickMs).toBe(30_000);
    lock.close();
    expect(await open().remove(url)).toBe(true);
  });

  test("is not waited for by who was told to stop", async () => {
    const { config, store } = await signedIn();
    const lock = holdLock(join(config, "logins.json.lock"));
    onTestFinished(() => lock.close());
    const reason = new Error("Ctrl-C");
    await expect(store.renew(url, "access-1", AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
