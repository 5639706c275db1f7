import { describe, expect, test } from "vitest";
import { api } from "#wire/api.ts";
import { gives, openFakeHub, refuses, streams } from "./hub.scene.ts";
import { clientOf, type Way } from "./way.ts";

/** A hub that lets in who shows this token. */
const hubOf = (good: string) =>
  openFakeHub(({ token, path }) => {
    if (token !== good) return refuses("unauthenticated", "the hub does not know this caller");
    return path.endsWith("/logs")
      ? streams([{ item: { instance: "i", text: "hello", at: "1" } }])
      : gives({ machines: [] });
  });

const logs = { environment: "dev", service: "api" };

async function all<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** A way that counts how often it is looked for and renewed. */
function wayTo(url: string, token: string | undefined, next?: string) {
  const count = { found: 0, renewed: 0, letIn: 0 };
  const find = async (): Promise<Way> => {
    count.found++;
    const renew = async () => {
      count.renewed++;
      return next;
    };
    return { url, token, renew };
  };
  return { count, find, client: clientOf(find, () => count.letIn++) };
}

test("a good token is not exchanged, and the way is looked for each time", async () => {
  const hub = await hubOf("good");
  const { client, count } = wayTo(hub.url, "good", "other");
  await client.call(api.machines, {});
  await client.call(api.machines, {});
  expect(await all(client.stream(api.logs, logs))).toEqual([{ instance: "i", text: "hello", at: "1" }]);
  expect(count).toEqual({ found: 3, renewed: 0, letIn: 3 });
});

describe("a token that the hub refuses", () => {
  test("is exchanged once, and the request made again", async () => {
    const hub = await hubOf("next");
    const { client, count } = wayTo(hub.url, "old", "next");
    expect(await client.call(api.machines, {})).toEqual({ machines: [] });
    expect(await all(client.stream(api.logs, logs))).toHaveLength(1);
    expect(hub.asked.map(({ token }) => token)).toEqual(["old", "next", "old", "next"]);
    expect(count).toEqual({ found: 2, renewed: 2, letIn: 2 });
  });

  test("twice means signing in", async () => {
    const hub = await hubOf("none");
    const { client } = wayTo(hub.url, "old", "next");
    const needs = { code: "unauthenticated", hint: `Sign in: fed login ${hub.url}` };
    await expect(client.call(api.machines, {})).rejects.toMatchObject(needs);
    await expect(all(client.stream(api.logs, logs))).rejects.toMatchObject(needs);
    expect(hub.asked.map(({ token }) => token)).toEqual(["old", "next", "old", "next"]);
  });

  test("and has no next one means signing in", async () => {
    const hub = await hubOf("none");
    const { client } = wayTo(hub.url, undefined);
    await expect(client.call(api.machines, {})).rejects.toMatchObject({
      ...{ code: "unauthenticated", message: `you are not signed in at ${hub.url}` },
      hint: `Sign in: fed login ${hub.url}`,
    });
  });

  test("and cannot be exchanged is the hub's own word", async () => {
    const hub = await hubOf("none");
    const client = clientOf(async () => ({ url: hub.url, token: "fed_x" }));
    await expect(client.call(api.machines, {})).rejects.toMatchObject({
      message: "the hub does not know this caller",
    });
    expect(hub.asked).toHaveLength(1);
  });
});

test("what is refused for another reason is asked once", async () => {
  const hub = await openFakeHub(() => refuses("denied"));
  const { client, count } = wayTo(hub.url, "good", "next");
  await expect(client.call(api.machines, {})).rejects.toMatchObject({ code: "denied" });
  expect(count).toEqual({ found: 1, renewed: 0, letIn: 0 });
});

test("a stream that fails in its middle is not begun again", async () => {
  const problem = { code: "unauthenticated", detail: "ended", type: "", title: "", status: 401 };
  const hub = await openFakeHub(() => streams([{ item: { instance: "i", text: "one", at: "1" } }, { problem }]));
  const { client, count } = wayTo(hub.url, "good", "next");
  const seen: string[] = [];
  const read = async () => {
    for await (const { text } of client.stream(api.logs, logs)) seen.push(text);
  };
  await expect(read()).rejects.toMatchObject({ code: "unauthenticated", message: "ended" });
  expect(seen).toEqual(["one"]);
  expect(count).toEqual({ found: 1, renewed: 0, letIn: 1 });
});
