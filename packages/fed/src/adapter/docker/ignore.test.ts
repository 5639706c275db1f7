import { describe, expect, it } from "vitest";
import { type IgnoreState, readIgnore } from "./ignore.ts";

/** As a walk would judge it: folder by folder. */
function isIgnored(patterns: readonly string[], path: string): boolean {
  const rules = readIgnore(patterns.join("\n"), ".dockerignore");
  const parts = path.split("/");
  let state: IgnoreState | undefined;
  let ignored = false;
  for (let length = 1; length <= parts.length; length++) {
    const verdict = rules.judge(parts.slice(0, length).join("/"), state);
    if (verdict.whole) {
      expect(judgeOn(rules, parts, length, verdict.state)).toBe(true);
      return true;
    }
    ({ ignored, state } = verdict);
  }
  return ignored;
}

/** What a walk would find that did not stop at a folder that is left out whole. */
function judgeOn(rules: ReturnType<typeof readIgnore>, parts: readonly string[], from: number, above: IgnoreState) {
  let state = above;
  let ignored = true;
  for (let length = from + 1; length <= parts.length; length++)
    ({ ignored, state } = rules.judge(parts.slice(0, length).join("/"), state));
  return ignored;
}

// The rules as Docker documents them, and the odd ones that its matcher has (moby/patternmatcher).
const cases: readonly (readonly [patterns: string, path: string, ignored: boolean])[] = [
  ["*", "a", true],
  ["*.go", "a.go", true],
  ["*.go", "d/a.go", false],
  ["**/*.go", "d/e/a.go", true],
  ["**/*.go", "a.go", true],
  ["a", "a/b/c", true],
  ["a/", "a/b", true],
  ["/a", "a", true],
  ["./a/../b", "b", true],
  ["a/*.txt", "a/b/c.txt", false],
  ["a**/*.txt", "a/b/c/d.txt", true],
  ["dir/**", "dir", false],
  ["dir/**", "dir/a/b", true],
  ["**", "a/b", true],
  ["**/", "a", true],
  ["**file", "d/myfile", true],
  ["**/file", "d/myfile", false],
  ["**/file", "file", true],
  ["**/foo/bar", "x/y/foo/bar", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["a?b", "a☺b", true],
  ["a?b", "a/b", false],
  ["a[b-d]e", "ace", true],
  ["a[b-d]e", "aae", false],
  ["a[^b-d]e", "aze", true],
  ["a[^a]b", "a☺b", true],
  ["a[.$]b", "a$b", true],
  ["[a-ζ]*", "α", true],
  ["[\\]a]", "]", true],
  ["[x\\-]", "-", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["a(b)c/def", "a(b)c/def", true],
  ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  ["abc.def", "abcZdef", false],
  [".*", ".git/config", true],
  [".*", "a.b", false],
  ["# a", "# a", false],
  [" #a", "#a", true],
  ["  b  ", "b", true],
  ["docs\n!docs/README.md", "docs/README.md", false],
  ["docs\n!docs/README.md", "docs/a", true],
  ["docs/*\n!docs/README.md", "docs/README.md", false],
  ["!a.go\n*.go", "a.go", true],
  ["*\n!src\nsrc/*.test.ts", "src/a.ts", false],
  ["*\n!src\nsrc/*.test.ts", "src/a.test.ts", true],
  ["*\n! src/b/ ", "src/b/c", false],
  ["**\n!util/docker/web", "util/docker/web/foo", false],
  ["**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", true],
  ["**\n!dist/*.whl", "dist/a.whl", false],
  ["node_modules\n!**/keep.txt", "node_modules/a/keep.txt", false],
  ["", "a", false],
];

describe("what is left out", () => {
  it.each(cases)("%j on %s: %s", (patterns, path, ignored) => {
    expect(isIgnored(patterns.split("\n"), path)).toBe(ignored);
  });

  it("is told in words that carriage returns and a mark of byte order do not change", () => {
    expect(isIgnored(["\ufeffa\r", "b\r"], "a")).toBe(true);
    expect(isIgnored(["\ufeffa\r", "b\r"], "b")).toBe(true);
  });

  it("is left out whole where nothing can be taken back", () => {
    const rules = readIgnore("node_modules\ndocs\n!docs/README.md\n!src/*", ".dockerignore");
    expect(rules.judge("node_modules", undefined)).toMatchObject({ ignored: true, whole: true });
    expect(rules.judge("docs", undefined)).toMatchObject({ ignored: true, whole: false });
    expect(rules.judge("docs/img", rules.judge("docs", undefined).state)).toMatchObject({ ignored: true, whole: true });
  });

  it.each(["!", "[", "[^", "a[", "[]a]", "[x-]", "[-x]", "a\\", "[a-b-c]", "[b-a]"])("is refused as %j", (pattern) => {
    const read = () => readIgnore(`ok\n${pattern}\n`, "web/.dockerignore");
    expect(read).toThrow(
      expect.objectContaining({ code: "invalid", message: expect.stringContaining("web/.dockerignore:2") }),
    );
  });
});
