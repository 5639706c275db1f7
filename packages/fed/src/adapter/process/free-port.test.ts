import { once } from "node:events";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openPortBook } from "./free-port.ts";

const going = () => new AbortController().signal;

/** Three ports in a row that are free now. */
async function freeRange(): Promise<readonly [number, number]> {
  for (let first = 30_000 + Math.floor(Math.random() * 2_000); ; first += 3) {
    const book = openPortBook([first, first + 2], 0);
    const taken = await Promise.allSettled([0, 1, 2].map(() => book.take(undefined, "a", going())));
    if (taken.every(({ status }) => status === "fulfilled")) return [first, first + 2];
  }
}

test("each port goes to one holder; a released one is handed out again, in its turn", async () => {
  const range = await freeRange();
  const book = openPortBook(range, 1);
  const ports = await Promise.all(["a", "b", "c"].map((holder) => book.take(undefined, holder, going())));
  expect(ports).toEqual([range[0] + 1, range[1], range[0]]);
  await expect(book.take(undefined, "d", going())).rejects.toMatchObject({ code: "conflict" });
  await expect(book.take(range[1], "d", going())).rejects.toMatchObject({ code: "conflict" });
  book.release(range[1], "a");
  await expect(book.take(range[1], "d", going())).rejects.toMatchObject({ code: "conflict" });
  book.release(range[1], "b");
  expect(await book.take(undefined, "d", going())).toBe(range[1]);
});

test("ports of other programs and of what was found running are left alone", async () => {
  const range = await freeRange();
  const server = createServer().listen(range[0], "0.0.0.0");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const book = openPortBook(range, 0);
  book.hold(range[0] + 1, "found");
  expect(await book.take(undefined, "a", going())).toBe(range[1]);
  await expect(book.take(range[0], "b", going())).rejects.toMatchObject({ code: "conflict" });
  server.close();
  await once(server, "close");
  expect(await book.take(range[0], "b", going())).toBe(range[0]);
});

test("the search ends when it is aborted", async () => {
  const book = openPortBook(await freeRange(), 0);
  await expect(book.take(undefined, "a", AbortSignal.abort("enough"))).rejects.toBe("enough");
});
