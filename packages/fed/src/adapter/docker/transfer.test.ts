import { expect, it } from "vitest";
import { readJsonLines } from "./json-lines.ts";
import { loginHeader, loginsHeader, readReference, transferNews } from "./transfer.ts";

const digest = `sha256:${"a".repeat(64)}`;

it.each([
  ["nginx", "nginx", "latest"],
  ["nginx:1.27", "nginx", "1.27"],
  ["ghcr.io/a/b", "ghcr.io/a/b", "latest"],
  ["registry:5000/a", "registry:5000/a", "latest"],
  ["registry:5000/a/b:v1", "registry:5000/a/b", "v1"],
  [`registry:5000/a@${digest}`, "registry:5000/a", digest],
  [`nginx:1.27@${digest}`, "nginx", digest],
])("reads %s", (reference, name, tag) => {
  expect(readReference(reference)).toEqual({ name, tag });
});

it("says who we are to the registry of the image, in an alphabet that engines take", () => {
  const said = (reference: string, password: string) => {
    const text = loginHeader(reference, { user: "marit", password })["x-registry-auth"] ?? "";
    expect(text).toMatch(/^[A-Za-z0-9_-]+=*$/);
    expect(text.length % 4).toBe(0);
    return JSON.parse(Buffer.from(text, "base64url").toString());
  };
  expect(said("registry:5000/a:1", "ÿ?>")).toEqual({
    username: "marit",
    password: "ÿ?>",
    serveraddress: "registry:5000",
  });
  for (const own of ["nginx", "marit/app:2"]) expect(said(own, "p").serveraddress).toBe("https://index.docker.io/v1/");
  expect(said("localhost/a", "p").serveraddress).toBe("localhost");
  expect(loginHeader("nginx", undefined)).toEqual({ "x-registry-auth": "e30=" });
});

it("says who we are to each registry that a build may begin with", () => {
  const login = { user: "marit", password: "sea salt" };
  const text = loginsHeader({ "ghcr.io": login, "docker.io": login })["x-registry-config"] ?? "";
  expect(JSON.parse(Buffer.from(text, "base64url").toString())).toEqual({
    "ghcr.io": { username: "marit", password: "sea salt", serveraddress: "ghcr.io" },
    "https://index.docker.io/v1/": {
      ...{ username: "marit", password: "sea salt", serveraddress: "https://index.docker.io/v1/" },
    },
  });
  expect(loginsHeader()).toEqual({});
  expect(loginsHeader({})).toEqual({});
});

it("says when a layer comes and when it is there, not each step between", () => {
  const lines: string[] = [];
  const news = transferNews((line) => lines.push(line));
  for (let current = 0; current < 50; current++)
    news({ id: "ab12", status: "Downloading", progressDetail: { current, total: 31_400_000 } });
  news({ id: "cd34", status: "Downloading", progressDetail: { current: 1, total: 500 } });
  news({ id: "ab12", status: "Pull complete" });
  news({ status: `Digest: ${digest}` });
  news({ stream: "x".repeat(5_000) });
  expect(lines).toEqual([
    "ab12: Downloading 31.4 MB",
    "cd34: Downloading 0.5 kB",
    "ab12: Pull complete",
    `Digest: ${digest}`,
    expect.stringMatching(/^x{2000}…$/),
  ]);
});

it("reads an answer's lines however they come in pieces", async () => {
  const text = Buffer.from('{"a":"ü"}\r\n\n[1]\n{"b":2}');
  for (let size = 1; size < text.length; size++) {
    const pieces = async function* () {
      for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
    };
    const seen = [];
    for await (const line of readJsonLines("docker", pieces())) seen.push(line);
    expect(seen).toEqual([{ a: "ü" }, { b: 2 }]);
  }
  const broken = async function* () {
    yield Buffer.from("<html>");
  };
  await expect(readJsonLines("docker", broken()).next()).rejects.toMatchObject({ code: "unreachable" });
});
