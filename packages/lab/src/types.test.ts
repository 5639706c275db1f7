import { beforeAll, describe, expect, it } from "vitest";
import { type Complaint, compile, markedPlaces, personsOptions } from "./type-case/compile.ts";
import { correct } from "./type-case/correct.ts";
import { mistakes } from "./type-case/mistake.ts";
import { folders } from "./type-case/several-files.ts";

/** All cases as files of one run: `mistake/0.ts`, `correct/0.ts`, `folder/0/lab.ts`. */
const files: Record<string, string> = {};
for (const [index, { source }] of Object.values(mistakes).entries()) files[`mistake/${index}.ts`] = source;
for (const [index, source] of Object.values(correct).entries()) files[`correct/${index}.ts`] = source;
for (const [index, folder] of Object.values(folders).entries()) {
  for (const [path, source] of Object.entries(folder.files)) files[`folder/${index}/${path}`] = source;
}

function expectReported(complaints: readonly Complaint[], sources: Readonly<Record<string, string>>, says?: RegExp) {
  const found = complaints.map(({ file, line, column }) => `${file}:${line}:${column}`).sort();
  const wanted = Object.entries(sources).flatMap(([file, text]) =>
    markedPlaces(text).map((place) => `${file}:${place}`),
  );
  const said = complaints.map(({ message }) => message).join("\n");
  expect(found, said).toEqual(wanted.sort());
  if (says !== undefined) for (const { message } of complaints) expect(message).toMatch(says);
}

describe.each([
  ["this repository's options", undefined],
  ["a person's looser options", personsOptions],
])("with %s", (_, options) => {
  let complaints: readonly Complaint[] = [];

  beforeAll(async () => {
    complaints = await compile(files, options);
  });

  it.each(Object.entries(mistakes).map(([name, mistake], index) => ({ name, mistake, file: `mistake/${index}.ts` })))(
    "reports at its own token: $name",
    ({ mistake, file }) => {
      const own = complaints.filter((complaint) => complaint.file === file);
      expect(markedPlaces(mistake.source)).toHaveLength(1);
      expectReported(own, { [file]: mistake.source }, mistake.says);
    },
  );

  it.each(Object.keys(correct).map((name, index) => ({ name, file: `correct/${index}.ts` })))(
    "compiles: $name",
    ({ file }) => {
      expect(complaints.filter((complaint) => complaint.file === file)).toEqual([]);
    },
  );

  it.each(Object.entries(folders).map(([name, folder], index) => ({ name, folder, at: `folder/${index}/` })))(
    "over several files: $name",
    ({ folder, at }) => {
      const own = complaints.filter(({ file }) => file.startsWith(at));
      const sources = Object.fromEntries(Object.entries(folder.files).map(([path, text]) => [at + path, text]));
      expectReported(own, sources, folder.says);
    },
  );

  it("finds nothing wrong in the language itself", () => {
    expect(complaints.filter(({ file }) => !(file in files))).toEqual([]);
  });
});

it("has the cases it promises", () => {
  expect(Object.keys(mistakes).length).toBeGreaterThanOrEqual(40);
  expect(Object.keys(correct).length).toBeGreaterThanOrEqual(20);
});
