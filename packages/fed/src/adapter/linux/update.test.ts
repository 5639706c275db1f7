import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { readFixture, say, shells, tellOne } from "./section.scene.ts";
import { updateSection } from "./update.ts";

const look = (text: string) => tellOne(updateSection.open(), text);

test("reads apt's list, and marks what a source of security brings", () => {
  const { updates, samples } = look(readFixture("update-apt"));
  const of = (name: string) => updates?.list.find((update) => update.name === name);
  expect(of("apt-transport-https")).toMatchObject({ security: true, manager: "apt" });
  expect(of("appstream")).toEqual({
    name: "appstream",
    current: "0.16.1-2",
    next: "0.16.1-2+b1",
    security: false,
    manager: "apt",
  });
  expect(of("linux-generic")?.security).toBe(true);
  expect(of("docker-ce")).toMatchObject({ security: false, next: "5:27.3.1-1~ubuntu.22.04~jammy" });
  expect(updates?.restart).toBe(true);
  expect(samples.get('apt_upgrades_pending{arch="amd64",origin="jammy-updates"}')).toBe(1);
  expect(samples.get("node_reboot_required")).toBe(1);
});

test("reads dnf's list and its advisories of security", () => {
  const { updates, samples } = look(readFixture("update-dnf"));
  expect(updates?.list.map(({ name, next, security }) => [name, next, security])).toEqual([
    ["NetworkManager", "1:1.46.2-1.fc40", false],
    ["NetworkManager-libnm", "1:1.46.2-1.fc40", false],
    ["openssl-libs", "1:3.2.2-3.fc40", true],
    ["python3-pip-wheel", "23.3.2-2.fc40", false],
    ["vim-minimal", "2:9.1.703-1.fc40", true],
    ["docker-ce", "3:27.3.1-1.fc40", false],
  ]);
  expect(samples.get('yum_upgrades_pending{origin="updates"}')).toBe(5);
  expect(updates?.restart).toBe(false);
});

test("reads the advisories of dnf5, where the date comes last", () => {
  const { updates } = look(`manager dnf
openssl-libs.x86_64 1:3.2.2-3.fc41 updates
vim-minimal.x86_64  2:9.1.703-1.fc41 updates
code 100
Name                   Type     Severity                   Package              Issued
FEDORA-2024-1c1f8a5b4b security Important openssl-libs-1:3.2.2-3.fc41.x86_64 2024-10-29 03:34:41
`);
  expect(updates?.list.map(({ name, security }) => [name, security])).toEqual([
    ["openssl-libs", true],
    ["vim-minimal", false],
  ]);
});

test("reads pacman's list without what is held", () => {
  const { updates } = look(readFixture("update-pacman"));
  expect(updates?.list.map(({ name }) => name)).toEqual(["linux", "glibc", "ca-certificates-mozilla"]);
  expect(updates?.restart).toBe(true);
});

test("reads apk's list", () => {
  const { updates } = look(readFixture("update-apk"));
  expect(updates?.list.map(({ name, current, next }) => [name, current, next])).toEqual([
    ["musl", "1.2.5-r0", "1.2.5-r1"],
    ["busybox", "1.36.1-r28", "1.36.1-r29"],
    ["libcrypto3", "3.3.1-r3", "3.3.2-r0"],
    ["ca-certificates-bundle", "20240226-r0", "20240705-r0"],
  ]);
});

test("tells that there is none, which is not the same as not to know", () => {
  expect(look("manager apt\nListing...\ncode 0\n")).toMatchObject({ updates: { list: [], restart: false } });
  expect(look("manager apt\ncode 0\n").samples.get('apt_upgrades_pending{arch="",origin=""}')).toBe(0);
  expect(look("manager pacman\ncode 1\n").updates?.list).toEqual([]);
  expect(look("").updates).toBeUndefined();
  expect(look("restart\n").updates).toEqual({ list: [], restart: true });
});

test.each([
  ["manager apt\ncode 137\n", "apt did not tell of updates in time"],
  ["manager apt\ncode 125\n", "apt is not asked: the machine has no command timeout"],
  ["manager dnf\ncode 1\n", "dnf did not tell of updates (code 1)"],
])("says why it is not known: %j", (text, reason) => expect(() => look(text)).toThrow(reason));

test("shows no more than two thousand, and makes no series without end", () => {
  const lines = Array.from({ length: 3_000 }, (_, i) => `p${i}/origin${i} 2 amd64 [upgradable from: 1]`);
  const { updates, problems, samples } = look(`manager apt\n${lines.join("\n")}\ncode 0\n`);
  expect(updates?.list).toHaveLength(2_000);
  expect(problems).toEqual(["3000 updates wait, of which 2000 are shown"]);
  expect(samples.size).toBe(51);
});

test("reads back whatever names and versions apt has", () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,40}$/);
  const version = fc.stringMatching(/^[0-9][A-Za-z0-9.+:~-]{0,40}$/);
  const update = fc.record({ name, current: version, next: version, security: fc.boolean() });
  fc.assert(
    fc.property(fc.array(update), (list) => {
      const lines = list.map(
        (u) => `${u.name}/stable${u.security ? "-security" : ""} ${u.next} amd64 [upgradable from: ${u.current}]\n`,
      );
      const told = look(`manager apt\n${lines.join("")}code 0\n`).updates?.list;
      expect(told).toEqual(list.map((u) => ({ ...u, manager: "apt" })));
    }),
  );
});

test("whatever it hears, it throws nothing but a Fault", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("code 0", "restart", "a/b 1 c [upgradable from: 0]", "a-1-r0 < 2"),
  );
  fc.assert(
    fc.property(fc.constantFrom("apt", "dnf", "pacman", "apk", "rpm"), fc.array(line), (manager, lines) => {
      try {
        look(`manager ${manager}\n${lines.join("\n")}`);
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown;
      }
    }),
  );
});

describe.each(shells)("$name", ({ shell }) => {
  test("asks again only when something has changed", () => {
    const folder = mkdtempSync(join(tmpdir(), "fed-update-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const asked = join(folder, "asked");
    writeFileSync(
      join(folder, "apt"),
      `#!/bin/sh\necho x >> ${asked}\necho "a/b $(wc -l < ${asked}) all [upgradable from: 0]"\n`,
      { mode: 0o755 },
    );
    const script = updateSection.script.replace("/var/lib/apt/lists", join(folder, "changed"));
    const texts = say(
      { ...updateSection, script },
      {
        shell,
        environment: { PATH: `${folder}:/usr/bin:/bin` },
        ticks: 4,
        between: `[ $n = 2 ] && echo 1 > ${folder}/changed`,
      },
    );
    expect(texts.map((text) => look(text).updates?.list.map(({ next }) => next))).toEqual([["1"], ["1"], ["2"], ["2"]]);
  });

  test("asks the manager there is, with its updates or its failure", () => {
    const folder = mkdtempSync(join(tmpdir(), "fed-update-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(
      join(folder, "apt"),
      `#!/bin/sh\n[ "$*" = "list --upgradable" ] && echo 'a/b-security 2 all [upgradable from: 1]'\nexit "\${APT:-0}"\n`,
      { mode: 0o755 },
    );
    const environment = { PATH: `${folder}:/usr/bin:/bin` };
    const [text = ""] = say(updateSection, { shell, environment });
    expect(look(text).updates?.list).toEqual([{ name: "a", current: "1", next: "2", security: true, manager: "apt" }]);
    const [other = ""] = say(updateSection, { shell, environment: { ...environment, APT: "100" } });
    expect(() => look(other)).toThrow("apt did not tell of updates (code 100)");
  });
});
