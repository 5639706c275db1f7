import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import { isFault } from "#base/fault.ts";
import { Interrupted } from "./interrupted.ts";
import { askLine, askSecret, confirm, readPassword, requirePerson, type Terminal } from "./prompt.ts";

/** A terminal of which the test holds the keyboard. */
function sit() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: vi.fn((_on: boolean) => undefined) });
  const shown: string[] = [];
  const output = { write: (text: string) => shown.push(text), isTTY: true };
  const terminal: Terminal = { input, output };
  const controller = new AbortController();
  return {
    input,
    terminal,
    controller,
    signal: controller.signal,
    shown: () => shown.join(""),
    /** Raw mode was on, is off, and nobody listens any more. */
    left() {
      expect(input.listenerCount("data")).toBe(0);
      expect(input.isPaused()).toBe(true);
      return input.setRawMode.mock.calls.map(([on]) => on);
    },
  };
}

const faultOf = (asked: Promise<unknown>) =>
  asked.then(
    () => "an answer",
    (thrown: unknown) => thrown,
  );

test("a line is asked for and trimmed", async () => {
  const at = sit();
  const asked = askLine("Name: ", at.signal, at.terminal);
  at.input.write("  ada \n");
  expect(await asked).toBe("ada");
  expect(at.shown()).toBe("Name: ");
  expect(at.left()).toEqual([]);
});

test("what is typed ahead is kept for the next question", async () => {
  const at = sit();
  at.input.write("ada\r\ncorrect horse\r\ny\n");
  expect(await askLine("Name: ", at.signal, at.terminal)).toBe("ada");
  expect(await askSecret("Password: ", at.signal, at.terminal)).toBe("correct horse");
  expect(await confirm("Sure?", at.signal, at.terminal)).toBe(true);
  expect(at.left()).toEqual([true, false]);
});

test.each([
  ["y\n", true],
  ["YES\n", true],
  ["\n", false],
  ["n\n", false],
  ["yesterday\n", false],
])("%j confirms: %s", async (typed, sure) => {
  const at = sit();
  at.input.write(typed);
  expect(await confirm("Sure?", at.signal, at.terminal)).toBe(sure);
});

test.each([
  ["secret\r", "secret"],
  ["sex\u007fcret\r", "secret"],
  ["wrong\u0015secret\r", "secret"],
  ["se\u001b[Dcr\u001b[3~e\u001bOAt\r", "secret"],
  ["pässwörd 🔑🔑\u007f\r", "pässwörd 🔑"],
  [" blanks stay \r", " blanks stay "],
  ["\u0004\r", "ended"],
  ["half\u0004\r", "half"],
])("%j is the secret %j", async (keys, secret) => {
  const at = sit();
  const asked = askSecret("Password: ", at.signal, at.terminal);
  for (const byte of Buffer.from(keys)) at.input.write(Buffer.of(byte));
  const answer = await asked.catch((thrown) => (isFault(thrown) ? "ended" : thrown));
  expect(answer).toBe(secret);
  expect(at.shown()).toBe("Password: \n");
  expect(at.left()).toEqual([true, false]);
});

test("Ctrl-C at a secret ends it, and the terminal shows again what is typed", async () => {
  const at = sit();
  const asked = faultOf(askSecret("Password: ", at.signal, at.terminal));
  at.input.write("half\u0003");
  const thrown = await asked;
  expect(thrown).toBeInstanceOf(Interrupted);
  expect(thrown).toMatchObject({ exitCode: 130 });
  expect(at.left()).toEqual([true, false]);
});

test.each([
  ["a line", askLine, []],
  ["a secret", askSecret, [true, false]],
])("an abort ends %s", async (_, ask, raw) => {
  const at = sit();
  const asked = faultOf(ask("? ", at.signal, at.terminal));
  const reason = new Interrupted("SIGINT", 130);
  at.controller.abort(reason);
  expect(await asked).toBe(reason);
  expect(at.left()).toEqual(raw);
  expect(await faultOf(ask("? ", at.signal, at.terminal))).toBe(reason);
});

test.each([
  ["a line", askLine],
  ["a secret", askSecret],
])("the end of the input ends %s", async (_, ask) => {
  const at = sit();
  const asked = faultOf(ask("? ", at.signal, at.terminal));
  at.input.end("half");
  expect(await asked).toMatchObject({ code: "invalid", message: "the input ended before there was an answer" });
  expect(await faultOf(ask("? ", at.signal, at.terminal))).toMatchObject({ code: "invalid" });
});

test("an endless line is refused", async () => {
  const at = sit();
  const asked = faultOf(askLine("? ", at.signal, at.terminal));
  at.input.write("x".repeat(10_001));
  expect(await asked).toMatchObject({ code: "invalid", message: "the answer is too long" });
  expect(at.left()).toEqual([]);
});

test("nobody is asked at a pipe", () => {
  const { terminal } = sit();
  expect(() => requirePerson("say --yes", { ...terminal, output: { write: () => 0 } })).toThrow("nobody to ask");
  requirePerson("say --yes", terminal);
});

test.each([
  ["correct horse\n", "correct horse"],
  ["two\nlines\r\n", "two\nlines"],
  ["no end", "no end"],
])("a password comes from a pipe: %j", async (text, password) => {
  expect(await readPassword(new PassThrough().end(text))).toBe(password);
});

test.each([
  ["", "no password came"],
  ["\n", "no password came"],
  ["x".repeat(10_001), "too long"],
])("what is no password is refused", async (text, message) => {
  await expect(readPassword(new PassThrough().end(text))).rejects.toThrow(message);
});

test("a password is not read from a terminal, which would show it", async () => {
  await expect(readPassword(sit().input)).rejects.toThrow("stdin is a terminal");
});
