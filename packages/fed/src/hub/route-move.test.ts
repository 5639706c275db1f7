import { readLab } from "@fed/lab";
import { expect, test } from "vitest";
import { makeScene, type Scene } from "./deployment.scene.ts";

/** An edit that moves a route alone: nothing is started, and yet every ingress is to hear of it. */

function labOf(route: string, ingress: object = {}) {
  const { lab, diagnostics } = readLab({
    name: "moving",
    machines: { south: { kind: "server", address: "local", ...ingress } },
    environments: { dev: { machines: ["south"] } },
    services: { web: { run: { kind: "image", reference: "shop/web:1" }, port: 8080, route } },
  });
  if (lab) return lab;
  throw new Error(JSON.stringify(diagnostics));
}

const signal = new AbortController().signal;

async function hostsOf(scene: Scene) {
  const [own, caddy] = await Promise.all([scene.own.status(signal), scene.machine("south").ingress.status(signal)]);
  const hosts = ({ routes }: typeof own) =>
    routes.flatMap(({ match, targets }) => (match.kind === "host" ? [`${match.host} ${targets.length}`] : []));
  return { own: hosts(own), caddy: hosts(caddy) };
}

const caddy = { ingress: { kind: "caddy" } };

test.each([
  ["another name", labOf("a.localhost"), labOf("b.localhost"), { own: ["b.localhost 1"], caddy: [] }],
  [
    "an ingress of the machine",
    labOf("a.localhost"),
    labOf("a.localhost", caddy),
    { own: [], caddy: ["a.localhost 1"] },
  ],
  ["the hub's ingress again", labOf("a.localhost", caddy), labOf("a.localhost"), { own: ["a.localhost 1"], caddy: [] }],
])(
  "an edit that gives a service %s is told to both ingresses at once, and starts nothing",
  async (_what, first, then, hosts) => {
    await using scene = makeScene();
    await scene.begin(first);
    await scene.settle();
    const { runtime } = scene.machine("south");
    const [one] = await runtime.list(signal);
    scene.take(then);
    await scene.settle();
    expect(await hostsOf(scene)).toEqual(hosts);
    expect((await runtime.list(signal)).map(({ id }) => id)).toEqual([one?.id]);
  },
);

function shopOf(names: readonly string[]) {
  const image = (name: string, version: number) => ({ run: { kind: "image", reference: `shop/${name}:${version}` } });
  const written = {
    web: { ...image("web", names.length), ...(names.includes("api") ? { needs: ["api"] } : {}), port: 8080 },
    api: { ...image("api", 1), port: 8080, route: "api.localhost" },
    new: { ...image("new", 1), port: 8080, route: "api.localhost" },
  };
  const { lab, diagnostics } = readLab({
    name: "moving",
    machines: { south: { kind: "server", address: "local" } },
    environments: { dev: { machines: ["south"] } },
    services: Object.fromEntries(Object.entries(written).filter(([name]) => names.includes(name))),
  });
  if (lab) return lab;
  throw new Error(JSON.stringify(diagnostics));
}

/** Whom doors and names lead to that lead to somebody, as each switch of the hub's ingress said. */
function ledTo(scene: Scene, key: string) {
  return scene.own.applied.map((routes) =>
    routes.flatMap(({ service, match, targets }) => (service === key && targets.length > 0 ? [match.kind] : [])),
  );
}

test("what the lab has no more is led to until who needs it runs without it", async () => {
  await using scene = makeScene();
  await scene.begin(shopOf(["api", "web"]));
  await scene.settle();
  const { length } = scene.own.applied;
  const before = ledTo(scene, "dev/api").at(-1);
  expect(before).toContain("host");
  let seen: unknown;
  scene.watch((_where, deed) => {
    // The new one is about to be started: the one before it serves, and asks what it needs.
    if (deed === "start") seen ??= ledTo(scene, "dev/api").at(-1);
  });
  scene.take(shopOf(["web"]));
  await scene.settle();
  expect(scene.own.applied.length).toBeGreaterThan(length);
  expect([seen, ledTo(scene, "dev/api").at(-1)]).toEqual([before, []]);
});

test("a name is whose the lab says now, also while somebody serves who had it before", async () => {
  await using scene = makeScene();
  await scene.begin(shopOf(["api"]));
  await scene.settle();
  scene.take(shopOf(["new"]));
  await scene.settle();
  expect([ledTo(scene, "dev/api").at(-1), ledTo(scene, "dev/new").at(-1)]).toEqual([
    [],
    expect.arrayContaining(["host"]),
  ]);
});
