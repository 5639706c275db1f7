import { spawnSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeHome, type Person, password } from "./person.ts";
import { entry } from "./program.ts";

/** What people type at a real terminal. */

const hasTerminal = spawnSync("script", ["--version"]).status === 0;

describe.skipIf(!hasTerminal)("at a terminal (script of util-linux)", () => {
  /** Types into a line of shell at a terminal of its own, each answer once its question is there; then says what became of echo. */
  async function sit(person: Person, line: string, answers: readonly (readonly [question: RegExp, keys: string])[]) {
    const terminal = person.shell(
      `rm -f keyboard; mkfifo keyboard; cat >line <<'END'
trap : INT
fed() { NO_COLOR=1 "${process.execPath}" "${entry}" "$@"; }
${line}
echo "code=$? echo=$(stty -a | grep -o -- '-\\?echo\\b')"
END
echo ready; exec script -qec "sh ./line" /dev/null <keyboard`,
    );
    await terminal.says(/ready/);
    const keys = await open(join(person.home, "keyboard"), "w");
    try {
      for (const [question, answer] of answers) {
        await terminal.says(question);
        await keys.write(answer);
      }
      await terminal.says(/code=/);
    } finally {
      await keys.close();
    }
    return (await terminal.ending).out;
  }

  test("a password is typed unseen; Ctrl-C and the end of input end a question, and echo is on again", async () => {
    const { hub, owner, guest } = await makeHome();
    expect(await owner.tell(password, "user", "add", "ada", "--role", "admin", "--password-stdin")).toMatchObject({
      code: 0,
    });
    const login = `fed login ${hub.url}`;
    const name = [/Name: /, "ada\n"] as const;

    const good = await sit(guest, login, [name, [/Password of ada at \S+: /, `${password}x\u007f\r`]]);
    expect(good).toContain("signed in as ada (admin)");
    expect(good).toMatch(/code=0 echo=echo\s/);
    expect(good).not.toContain(password);
    expect((await guest.fed("status")).code).toBe(0);

    expect(await sit(guest, login, [name, [/Password of/, "half\u0003"]])).toMatch(/code=130 echo=echo\s/);
    expect(await sit(guest, login, [[/Name: /, "half\u0003"]])).toMatch(/code=130 echo=echo\s/);
    for (const answers of [[[/Name: /, "\u0004"]], [name, [/Password of/, "\u0004"]]] as const) {
      const ended = await sit(guest, login, answers);
      expect(ended).toContain("fed: the input ended before there was an answer");
      expect(ended).toMatch(/code=2 echo=echo\s/);
    }

    const kept = await sit(guest, "fed user disable ada", [[/\[y\/N\] /, "\n"]]);
    expect(kept).toContain("nothing was changed");
    expect(await sit(guest, `echo x | ${login} -n ada`, [])).toContain("nobody to ask");
    expect(await sit(guest, `${login} -n ada --password-stdin`, [])).toContain("stdin is a terminal");
  });
});
