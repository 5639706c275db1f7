import fc from "fast-check";
import { expect, test } from "vitest";
import type { InstanceSpec } from "#port/runtime.ts";
import { containerName, type Draft, dockerBody, podmanBody, requirePassable } from "./create.ts";
import { fromEngineLabels, toEngineLabels } from "./label.ts";

const spec: InstanceSpec = {
  id: "ins_01hq5x9c2k7d3f8mqa",
  labels: { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 1, release: "rel_1" },
  workload: { kind: "image", reference: `sha256:${"5a".repeat(32)}` },
  environment: { KEY: "canary", PORT: "1" },
  files: { TOKEN_FILE: { name: "TOKEN", content: "canary" } },
  container: {
    port: 8080,
    hostPort: 80,
    mounts: [
      { kind: "volume", name: "fed-ocean-dev-api-data", target: "/data", readOnly: false },
      { kind: "folder", path: "/srv/a,b:c", target: "/srv", readOnly: true },
    ],
    hosts: { "host.fed.internal": "host-gateway" },
  },
  limits: { cpu: 0.5, memoryBytes: 2 ** 26 },
};
const network = { id: "5a5a", name: "fed-ocean-dev", gateway: "10.9.0.1" };
const draft: Draft = { spec, image: `sha256:${"5a".repeat(32)}`, network };

test("Docker is told all of it", () => {
  expect(containerName(spec)).toBe("fed-dev-api-01hq5x9c2k7d3f8mqa");
  expect(dockerBody(draft)).toMatchObject({
    Image: draft.image,
    Env: expect.arrayContaining(["KEY=canary", "PORT=8080", "TOKEN_FILE=/run/fed/TOKEN", `FED_INSTANCE=${spec.id}`]),
    HostConfig: {
      NetworkMode: "5a5a",
      PortBindings: {
        "8080/tcp": [
          { HostIp: "127.0.0.1", HostPort: "" },
          { HostIp: "", HostPort: "80" },
        ],
      },
      Mounts: [
        { Type: "volume", Source: "fed-ocean-dev-api-data", Target: "/data", ReadOnly: false },
        { Type: "bind", Source: "/srv/a,b:c", Target: "/srv", ReadOnly: true },
      ],
      ExtraHosts: ["host.fed.internal:10.9.0.1"],
      ...{ NanoCpus: 500_000_000, Memory: 2 ** 26, MemorySwap: 2 ** 26, RestartPolicy: { Name: "no" } },
    },
    NetworkingConfig: { EndpointsConfig: { "5a5a": { Aliases: ["api", "api.dev"] } } },
  });
});

test("Podman is told the same in its own words", () => {
  expect(podmanBody(draft)).toMatchObject({
    ...{ name: containerName(spec), image: "5a".repeat(32), restart_policy: "no" },
    env: { KEY: "canary", PORT: "8080", TOKEN_FILE: "/run/fed/TOKEN" },
    portmappings: [
      { host_ip: "127.0.0.1", host_port: 0, container_port: 8080 },
      { host_port: 80, container_port: 8080 },
    ],
    networks: { "fed-ocean-dev": { aliases: ["api", "api.dev"] } },
    volumes: [{ Name: "fed-ocean-dev-api-data", Dest: "/data", Options: ["rw"] }],
    mounts: [{ type: "bind", source: "/srv/a,b:c", destination: "/srv", options: ["rbind", "ro"] }],
    hostadd: ["host.fed.internal:10.9.0.1"],
    resource_limits: { cpu: { period: 100_000, quota: 50_000 }, memory: { limit: 2 ** 26, swap: 2 ** 26 } },
  });
});

test("its own variables count more than where to listen, less than what it is told of itself", () => {
  const environment = { HOST: "127.0.0.1", FED_INSTANCE: "x" };
  const body = podmanBody({ ...draft, spec: { ...spec, environment } });
  expect(body).toMatchObject({ env: { HOST: "127.0.0.1", FED_INSTANCE: spec.id } });
  expect(podmanBody(draft)).toMatchObject({ env: { HOST: "0.0.0.0" } });
});

test("a secret is in the environment alone, one that is a file in nothing that is told", () => {
  for (const body of [dockerBody(draft), podmanBody(draft)]) {
    const { Env: first, env: second, ...rest } = body as Record<string, unknown>;
    expect(JSON.stringify(first ?? second).split("canary").length).toBe(2);
    expect(JSON.stringify(rest)).not.toContain("canary");
  }
});

test.each<[Partial<InstanceSpec>, RegExp]>([
  [{ id: "../x" }, /id of an instance/],
  [{ environment: { "A=B": "canary" } }, /"A=B"/],
  [{ environment: { A: "canary\0" } }, /value of A/],
  [{ files: { A: { name: "..", content: "canary" } } }, /"\.\."/],
  [{ files: { A: { name: "a/b", content: "canary" } } }, /"a\/b"/],
])("what cannot be handed over is refused, by name: %o", (more, message) => {
  const refuse = () => requirePassable({ ...spec, ...more });
  expect(refuse).toThrow(message);
  expect(refuse).not.toThrow(/canary/);
});

test("labels are read back as they were, and those of others are left alone", () => {
  const word = fc.string({ minLength: 1, maxLength: 20 });
  const optional = fc.option(word, { nil: undefined });
  const labels = fc.record(
    {
      ...{ lab: word, environment: word, service: word, spec: word, replica: fc.nat(999) },
      ...{ release: optional, digest: optional, commit: optional },
    },
    { requiredKeys: ["lab", "environment", "service", "spec", "replica"] },
  );
  fc.assert(
    fc.property(word, labels, fc.option(fc.nat(65_535), { nil: undefined }), (id, given, port) => {
      const told = toEngineLabels(id, given, port);
      expect(fromEngineLabels({ ...told, "com.docker.compose.project": "x" })).toEqual({
        id,
        labels: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      });
      const { "fed.spec": _, ...half } = told;
      expect(fromEngineLabels(half)).toBeUndefined();
    }),
  );
});
