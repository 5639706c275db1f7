import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { readFixture, say, shells, tellOne } from "./section.scene.ts";
import { unitSection } from "./unit.ts";

const recorded = readFixture("unit-debian-12");

test("tells of services that are there, and of what failed", () => {
  const { units = [], problems } = tellOne(unitSection.open(), recorded);
  expect(problems).toEqual([]);
  const of = (name: string) => units.find((unit) => unit.name === name);
  expect(of("broken.service")).toEqual({
    name: "broken.service",
    description: 'A service that "fails" <b>at once</b>',
    active: "failed",
    sub: "failed",
    restarts: 0,
  });
  expect(of("loopy.service")).toMatchObject({ active: "activating", sub: "auto-restart", restarts: 71 });
  expect(of("sleepy@one.service")).toMatchObject({ active: "active", sub: "running", description: "Sleeps (one)" });
  expect(of("caddy.service")?.memoryBytes).toBe(44_494_848);
  // Not there, masked, or of another type and not in trouble.
  for (const name of ["auditd.service", "docker.service", "tmp.mount"]) expect(of(name)).toBeUndefined();
});

test("a count that is too large for a whole number is still one", () => {
  const text = "a.service loaded active running A\nshow\nId=a.service\nNRestarts=9223372036854775000\n";
  expect(tellOne(unitSection.open(), text).units?.[0]?.restarts).toBe(Number.MAX_SAFE_INTEGER);
});

test("tells their states by node_exporter's names", () => {
  const { samples } = tellOne(unitSection.open(), recorded);
  expect(samples.get('node_systemd_unit_state{name="caddy.service",state="active",type="notify"}')).toBe(1);
  expect(samples.get('node_systemd_unit_state{name="caddy.service",state="failed",type="notify"}')).toBe(undefined);
  expect(samples.get('node_systemd_unit_state{name="broken.service",state="failed",type="oneshot"}')).toBe(1);
  expect(samples.get('node_systemd_service_restart_total{name="loopy.service"}')).toBe(71);
  expect(samples.get('node_systemd_units{state="failed"}')).toBe(6);
});

test("says 0 of a state that a unit has left, and keeps what the rare call told", () => {
  const read = unitSection.open();
  const line = (active: string, sub: string) => `nginx.service loaded ${active} ${sub} A web server\n`;
  const show =
    "show\nId=nginx.service\nType=forking\nRestart=no\nNRestarts=2\nMemoryCurrent=18446744073709551615\nCPUUsageNSec=1500000000\n";
  tellOne(read, line("deactivating", "stop-sigterm") + show);
  const { samples, units } = tellOne(read, line("inactive", "dead"));
  expect(units).toEqual([
    {
      name: "nginx.service",
      description: "A web server",
      active: "inactive",
      sub: "dead",
      restarts: 2,
      cpuSeconds: 1.5,
    },
  ]);
  const of = (state: string) =>
    samples.get(`node_systemd_unit_state{name="nginx.service",state="${state}",type="forking"}`);
  expect([of("active"), of("failed"), of("inactive"), of("deactivating"), of("activating")]).toEqual([
    0,
    undefined,
    1,
    0,
    undefined,
  ]);
  expect(samples.get('node_systemd_service_restart_total{name="nginx.service"}')).toBe(2);
});

test("tells the end of a failure as 0", () => {
  const read = unitSection.open();
  const failed = (text: string) =>
    tellOne(read, text).samples.get('node_systemd_unit_state{name="a.service",state="failed",type=""}');
  expect(failed("a.service loaded active running A\n")).toBe(undefined);
  expect(failed("a.service loaded failed failed A\n")).toBe(1);
  expect(failed("a.service loaded active running A\n")).toBe(0);
});

test("has nothing to tell without systemd, and fails when that does not answer", () => {
  expect(tellOne(unitSection.open(), "")).toMatchObject({ problems: [] });
  expect(() => tellOne(unitSection.open(), "", { code: 137 })).toThrow("systemd did not answer within 4 s");
  expect(() => tellOne(unitSection.open(), "show\n", { code: 1 })).toThrow("systemctl did not tell of units (code 1)");
});

test("shows no more than a thousand units", () => {
  const lines = Array.from({ length: 1_204 }, (_, i) => `n${i}.service loaded active running x`);
  const { units, problems } = tellOne(unitSection.open(), `${lines.join("\n")}\n`);
  expect(units).toHaveLength(1_000);
  expect(problems).toEqual(["1204 units, of which 1000 are shown"]);
});

test("reads back whatever names, states and descriptions systemd has", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9:_.\\@-]{1,60}$/).map((stem) => `${stem}.service`);
  const word = fc.stringMatching(/^[a-z-]{1,12}$/);
  const words = fc.stringMatching(/^[!-~](?:[ -~]{0,60}[!-~])?$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.record({ name, active: word, sub: word, description: words }), {
        selector: (unit) => unit.name,
        minLength: 1,
      }),
      (units) => {
        const text = units.map(
          (unit) => `${unit.name.padEnd(40)} loaded ${unit.active.padEnd(8)} ${unit.sub} ${unit.description}\n`,
        );
        const told = tellOne(unitSection.open(), text.join("")).units;
        expect(told).toEqual(units.map((unit) => ({ ...unit, restarts: 0 })));
      },
    ),
  );
});

test("whatever it hears, it throws nothing but a Fault", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("show", "", "Id=a.service", "NRestarts=9", "a.service loaded active running"),
  );
  fc.assert(
    fc.property(fc.array(fc.array(line).map((lines) => lines.join("\n"))), (texts) => {
      const read = unitSection.open();
      for (const text of texts) {
        try {
          tellOne(read, text);
        } catch (thrown) {
          if (!isFault(thrown)) throw thrown;
        }
      }
    }),
  );
});

test("does not ask a machine without systemd", () => {
  const folder = mkdtempSync(join(tmpdir(), "fed-unit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "systemctl"), "#!/bin/sh\necho asked\n", { mode: 0o755 });
  const script = unitSection.script.replace("/run/systemd/system", join(folder, "none"));
  const { stdout, status } = spawnSync("sh", ["-c", `lim() { "$@"; }; f() { ${script}\n}; f`], {
    encoding: "utf8",
    env: { PATH: `${folder}:/usr/bin:/bin` },
  });
  expect([status, stdout]).toEqual([0, ""]);
});

test.each(shells)("lists units each time in $name, and asks what costs more every tenth time", ({ shell }) => {
  const folder = mkdtempSync(join(tmpdir(), "fed-unit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const systemctl = `#!/bin/sh
case $1 in
list-units) echo 'a.service loaded active running A' ;;
show) printf 'Id=a.service\\nNRestarts=4\\n' ;;
esac
`;
  writeFileSync(join(folder, "systemctl"), systemctl, { mode: 0o755 });
  const script = unitSection.script.replace("/run/systemd/system", folder);
  const texts = say({ ...unitSection, script }, { shell, ticks: 12, environment: { PATH: `${folder}:/usr/bin:/bin` } });
  expect(texts.map((text) => text.includes("show\n"))).toEqual(texts.map((_, i) => i % 10 === 0));
  const read = unitSection.open();
  expect(texts.map((text) => tellOne(read, text).units?.map(({ restarts }) => restarts))).toEqual(texts.map(() => [4]));
});
