import { describe, expect, it } from "vitest";
import { readLab } from "../lab.ts";
import { plainLab, wrongWith } from "../test-lab.ts";

const auth = { user: "ada", password: { secret: "KEY" } };
const wrongRegistries = (registries: unknown) => wrongWith({}, { registries });

describe("registries", () => {
  it.each(["ghcr.io", "docker.io", "localhost", "localhost:5000", "127.0.0.1:5000", "registry.lan:5000", "nas:5000"])(
    "can be called %s",
    (name) => {
      expect(wrongRegistries({ [name]: { auth } })).toEqual([]);
      const { lab } = readLab(plainLab({}, { registries: { [name]: { auth } } }));
      expect(lab?.registries).toEqual({ [name]: { auth } });
    },
  );

  it("need no login", () => {
    expect(wrongRegistries({ "registry.lan": {} })).toEqual([]);
    expect(wrongRegistries({})).toEqual([]);
  });

  it.each(["nas", "GHCR.io", "https://ghcr.io", "ghcr.io/me", "ghcr.io:", "index.docker.io", "a b.c", "", "-.io"])(
    "cannot be called %j",
    (name) => {
      expect(wrongRegistries({ [name]: {} })).toEqual([expect.stringMatching(/^bad-name registries/)]);
    },
  );

  const at = 'registries["ghcr.io"]';
  it.each<[registry: unknown, wrong: string]>([
    ["ada", `wrong-type ${at}`],
    [{ user: "ada" }, `unknown-key ${at}.user`],
    [{ auth: { user: "ada" } }, `missing-key ${at}.auth`],
    [{ auth: { user: "ada", password: "geheim" } }, `wrong-type ${at}.auth.password`],
    [{ auth: { user: "ada", password: { secret: "GONE" } } }, `unknown-secret ${at}.auth.password.secret`],
    [{ auth: { user: "", password: { secret: "KEY" } } }, `empty ${at}.auth.user`],
  ])("cannot be %j", (registry, wrong) => {
    expect(wrongRegistries({ "ghcr.io": registry })).toEqual([wrong]);
  });
});
