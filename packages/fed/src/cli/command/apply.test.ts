import { expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { streams } from "../hub.scene.ts";

test("apply asks nothing, and takes the word of those who expect to be asked", async () => {
  const desk = await makeDesk({
    "/api/v1/apply": () => streams([{ item: { kind: "settled", unfinished: [] } }]),
  });
  for (const words of [["apply", "--yes"], ["apply", "-y"], ["apply"]]) {
    expect(await desk.fed(...words)).toEqual({ code: 0, out: "nothing to do\n", err: "" });
  }
  expect(desk.hub.asked.map(({ path, body }) => [path, body])).toEqual(Array(3).fill(["/api/v1/apply", {}]));
});
