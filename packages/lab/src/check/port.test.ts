import { describe, expect, it } from "vitest";
import { container, plainLab, program, wordsOf, wrongWith } from "../test-lab.ts";

const dev = { in: ["dev"] };

describe("port collisions", () => {
  it("reports two processes at one port of one machine", () => {
    const lab = plainLab({ a: { ...program, ...dev, port: 80 }, b: { ...program, ...dev, port: 80 } });
    expect(wordsOf(lab)).toEqual([
      "a (in dev) and b (in dev) both claim port 80 on hub. Give one of them another port or another machine.",
    ]);
  });

  it("reports two host ports, and a host port against a process", () => {
    const published = { ...container, ...dev, hostPort: 80 };
    expect(wrongWith({ a: published, b: published })).toEqual(["port-collision services.b.hostPort"]);
    expect(wrongWith({ a: { ...program, ...dev, port: 80 }, b: published })).toEqual([
      "port-collision services.b.hostPort",
    ]);
  });

  it("reports one service in two environments on one machine", () => {
    const environments = { dev: { machines: ["hub"] }, prod: { machines: ["hub"] } };
    expect(wrongWith({ a: { ...program, port: 80 } }, { environments })).toEqual(["port-collision services.a.port"]);
    expect(wrongWith({ a: { ...program, port: { dev: 80, default: 80 } } }, { environments })).toEqual([
      "port-collision services.a.port.default",
    ]);
    expect(wrongWith({ a: { ...program, port: { dev: 80, prod: 81 } } }, { environments })).toEqual([]);
  });

  it("knows one machine under two names", () => {
    const machines = { hub: { kind: "server", address: "local" }, twin: { kind: "server", address: "127.0.0.1" } };
    const environments = { dev: { machines: ["hub", "twin"] } };
    const services = { a: { ...program, port: 80 }, b: { ...program, port: 80, on: "twin" } };
    expect(wrongWith(services, { machines, environments, secrets: {} })).toEqual([
      "same-machine machines.twin",
      "port-collision services.b.port",
    ]);
  });

  it("is content with other ports, other machines and ports inside containers", () => {
    expect(wrongWith({ a: { ...program, ...dev, port: 80 }, b: { ...program, ...dev, port: 81 } })).toEqual([]);
    expect(wrongWith({ a: { ...program, port: 80, in: ["dev"] }, b: { ...program, port: 80, in: ["prod"] } })).toEqual(
      [],
    );
    expect(wrongWith({ a: container, b: container })).toEqual([]);
    const onProd = (machine: string) => ({ ...program, in: ["prod"], on: machine, port: 80 });
    expect(wrongWith({ a: onProd("node5"), b: onProd("node6") })).toEqual([]);
  });
});

describe("use of ports", () => {
  const silent = { run: container.run };

  it("reports a host port of a process", () => {
    expect(wrongWith({ a: { ...program, hostPort: 80 } })).toEqual(["host-port-of-process services.a.hostPort"]);
    const byEnvironment = {
      run: { dev: program.run, default: container.run },
      port: 80,
      hostPort: { dev: 80, prod: 80 },
    };
    expect(wrongWith({ a: byEnvironment })).toEqual(["host-port-of-process services.a.hostPort.dev"]);
  });

  it.each([
    ["hostPort", 80],
    ["route", "a.localhost"],
    ["health", { kind: "http", path: "/" }],
    ["health", { kind: "tcp" }],
  ])("reports a container's %s without a port", (field, value) => {
    expect(wrongWith({ a: { ...silent, ...dev, [field]: value } })).toEqual([`no-port services.a.${field}`]);
    expect(wrongWith({ a: { ...silent, ...dev, [field]: value, port: 80 } })).toEqual([]);
  });

  it("lets a process do without", () => {
    const health = { kind: "http", path: "/" };
    expect(wrongWith({ a: { ...program, ...dev, health, route: "a.localhost" } })).toEqual([]);
    expect(wrongWith({ a: { ...silent, health: { kind: "command", command: ["true"] } } })).toEqual([]);
    expect(wrongWith({ a: silent, b: { ...program, env: { A: { service: "a" } } } })).toEqual([]);
  });
});

describe("replicas", () => {
  it("reports more than one with a port of the machine or a volume", () => {
    expect(wrongWith({ a: { ...container, ...dev, hostPort: 80, replicas: 2 } })).toEqual([
      "replicas-share services.a.replicas",
    ]);
    expect(wrongWith({ a: { ...program, ...dev, port: 80, replicas: 2 } })).toEqual([
      "replicas-share services.a.replicas",
    ]);
    const volumes = { data: { at: "/data" } };
    expect(wrongWith({ a: { ...container, volumes, replicas: { prod: 2 } } })).toEqual([
      "replicas-share services.a.replicas.prod",
    ]);
  });

  it("is content with one, or with nothing shared", () => {
    expect(wrongWith({ a: { ...container, ...dev, hostPort: 80, replicas: 1 } })).toEqual([]);
    expect(wrongWith({ a: { ...container, replicas: 3 }, b: { ...program, replicas: 3 } })).toEqual([]);
    expect(wrongWith({ a: { ...program, port: { dev: 80 }, replicas: { prod: 2 } } })).toEqual([]);
  });
});
