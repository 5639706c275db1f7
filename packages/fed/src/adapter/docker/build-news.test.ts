import { expect, it } from "vitest";
import { makeBuildNews } from "./build-news.ts";
import { readBuildStatus } from "./buildkit-trace.ts";

type Field = readonly [number: number, value: number | string | Buffer];

/** Fields of a protocol buffer: numbers as varints, texts and messages by their length. */
function message(...fields: readonly Field[]): Buffer {
  const varint = (value: number): Buffer => {
    const bytes = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
      if (rest < 128) return Buffer.from(bytes);
    }
  };
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
    }),
  );
}

const begun = [5, message([1, 1_795_282_660], [2, 5])] as const;
const ended = [6, message([1, 1_795_282_661])] as const;
const trace = (...fields: readonly Field[]) => ({
  id: "moby.buildkit.trace",
  aux: message(...fields).toString("base64"),
});

function told(): { lines: string[]; news: ReturnType<typeof makeBuildNews> } {
  const lines: string[] = [];
  return { lines, news: makeBuildNews((line) => lines.push(line)) };
}

it("says what BuildKit does: each step once, what it prints by lines, how it failed", () => {
  const { lines, news } = told();
  const name = "[2/3] RUN make ü";
  news.take(trace([1, message([1, "sha256:a"], [3, name])]));
  expect(lines).toEqual([]);
  news.take(trace([1, message([1, "sha256:c"], [3, "[1/3] COPY a /a"], [4, 1], begun, ended)]));
  for (let again = 0; again < 3; again++) news.take(trace([1, message([1, "sha256:a"], [3, name], begun)]));
  for (const part of ["half ", "a line\nnext\r\nlast"])
    news.take(trace([3, message([1, "sha256:a"], [2, message([1, 1])], [3, 1], [4, part])]));
  news.take(trace([1, message([1, "sha256:a"], [3, name], begun, ended, [7, "exit code: 2"])]));
  expect(lines).toEqual(["[1/3] COPY a /a (cached)", name, "half a line", "next", "last", `${name}: exit code: 2`]);
  expect(news.tail()).toBe(lines.join("\n"));
});

it("says what Docker's old builder and Podman say, and which image it became", () => {
  const { lines, news } = told();
  expect(news.take({ stream: "Step 1/2 : FROM scratch\n" })).toBeUndefined();
  expect(news.take({ stream: "\n" })).toBeUndefined();
  expect(news.take({ status: "Pulling from library/nginx" })).toBeUndefined();
  expect(news.take({ aux: { ID: "sha256:5" } })).toBe("sha256:5");
  expect(news.take({ id: "moby.image.id", aux: { ID: "sha256:6" } })).toBe("sha256:6");
  expect(lines).toEqual(["Step 1/2 : FROM scratch", "Pulling from library/nginx"]);
});

it("keeps the last 16 KiB", () => {
  const { news } = told();
  for (let index = 0; index < 5_000; index++) news.take({ stream: `line ${index}\n` });
  expect(news.tail().length).toBeLessThanOrEqual(16 * 1024);
  expect(news.tail().length).toBeGreaterThan(15 * 1024);
  expect(news.tail().endsWith("line 4998\nline 4999")).toBe(true);
  news.take({ stream: "x".repeat(100_000) });
  expect(news.tail().length).toBeLessThanOrEqual(16 * 1024);
});

it("reads no more than there is, whatever comes", () => {
  const whole = message([1, message([1, "sha256:a"], [3, "name"], begun)]);
  for (let length = 0; length < whole.length; length++)
    expect(() => readBuildStatus(whole.subarray(0, length).toString("base64"))).not.toThrow();
  expect(readBuildStatus("")).toEqual({ steps: [], logs: [] });
  expect(readBuildStatus("////////")).toEqual({ steps: [], logs: [] });
});
