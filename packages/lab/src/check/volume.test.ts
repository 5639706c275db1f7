import { describe, expect, it } from "vitest";
import { checkChange, readLab } from "../lab.ts";
import { container, plainLab, program, wrongWith } from "../test-lab.ts";

const volumes = { data: { at: "/data" } };
const prod = { in: ["prod"] };

it("reports a container's volume without a place, and two at one place", () => {
  expect(wrongWith({ a: { ...container, volumes: { data: {} } } })).toEqual(["no-mount-point services.a.volumes.data"]);
  expect(wrongWith({ a: { ...program, volumes: { data: {} } } })).toEqual([]);
  expect(wrongWith({ a: { ...container, volumes: { data: { at: "/data" }, more: { at: "/data" } } } })).toEqual([
    "duplicate services.a.volumes.more.at",
  ]);
  expect(wrongWith({ a: { ...container, volumes: { data: { at: "/data" }, more: { at: "/data/more" } } } })).toEqual(
    [],
  );
});

describe("a new lab", () => {
  const lab = (service: object, environments?: object) => {
    const reading = readLab(
      plainLab({ db: { ...container, ...prod, volumes, ...service } }, environments && { environments }),
    );
    if (reading.lab === undefined) throw new Error(JSON.stringify(reading.diagnostics));
    return reading.lab;
  };

  it("would move a volume's service to another machine", () => {
    expect(checkChange(lab({ on: "node5" }), lab({ on: "node6" }))).toMatchObject([
      { code: "volume-moves", path: "services.db.on", message: expect.stringContaining("from node5 to node6") },
    ]);
    const swapped = { dev: { machines: ["hub"] }, prod: { machines: ["node6", "node5"] } };
    expect(checkChange(lab({}), lab({}, swapped))).toMatchObject([
      { code: "volume-moves", path: "services.db.volumes" },
    ]);
  });

  it("leaves it where it is, or has other volumes, or shared ones", () => {
    expect(checkChange(lab({}), lab({ on: "node5" }))).toEqual([]);
    expect(checkChange(lab({}), lab({ on: "node6", volumes: { fresh: { at: "/data" } } }))).toEqual([]);
    const shared = { volumes: { data: { at: "/data", host: "/mnt/nas" } } };
    expect(checkChange(lab(shared), lab({ ...shared, on: "node6" }))).toEqual([]);
    expect(checkChange(lab({ in: ["dev"] }), lab({ on: "node6" }))).toEqual([]);
  });
});
