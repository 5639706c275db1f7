import { posix } from "node:path";
import { type Expression, parseSync, type StringLiteral, Visitor } from "oxc-parser";

/** What the law needs to know of one source file. */
export interface Source {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** Lines on which the environment of the process is read. */
  readonly environmentReads: readonly number[];
  /** Lines with `export *`. */
  readonly exportStars: readonly number[];
  /** Lines of statements that are not `export { names } from`. */
  readonly logic: readonly number[];
  /** The first thing the parser did not understand. */
  readonly error?: { readonly line: number; readonly message: string };
}

/** Static, type-only, dynamic, re-exported, `import("…").Type`, or a module named to a worker: all are arrows. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly target: Target;
}

export type Target =
  /** A file of this repository, whether it exists or not. */
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "package"; readonly name: string };

const packageSources: Readonly<Record<string, string>> = {
  "@fed/lab": "packages/lab/src",
  "@fed/fed": "packages/fed/src",
  "@fed/web": "packages/web/src",
};

function resolveTarget(from: string, specifier: string): Target {
  if (specifier.startsWith(".")) return { kind: "file", path: posix.join(posix.dirname(from), specifier) };
  if (specifier.startsWith("#")) return { kind: "file", path: `packages/fed/src/${specifier.slice(1)}` };
  if (specifier.startsWith("node:")) return { kind: "builtin", name: specifier };
  const [first = "", second = ""] = specifier.split("/");
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  const folder = packageSources[name];
  if (folder === undefined) return { kind: "package", name };
  return { kind: "file", path: `${folder}/${specifier.slice(name.length + 1) || "index.ts"}` };
}

const codeFile = /\.[cm]?[jt]sx?$/;

/** Reads one file's text; pure. */
export function readSource(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  const lineAt = (offset: number) => text.slice(0, offset).split("\n").length;
  const [error] = parsed.errors;
  if (error) {
    const message = error.message;
    const nothing = { imports: [], environmentReads: [], exportStars: [], logic: [] };
    return { path, ...nothing, error: { line: lineAt(error.labels[0]?.start ?? 0), message } };
  }
  const imports: Import[] = [];
  const environmentReads: number[] = [];
  const exportStars: number[] = [];
  const processNames = new Set(["process"]);
  const add = (literal: StringLiteral | Expression | null | undefined) => {
    const specifier = textOf(literal);
    if (literal && specifier !== undefined) {
      imports.push({ specifier, line: lineAt(literal.start), target: resolveTarget(path, specifier) });
    }
  };
  new Visitor({
    ImportDeclaration(node) {
      add(node.source);
      if (!/^(node:)?process$/.test(node.source.value)) return;
      for (const part of node.specifiers) {
        if (part.type !== "ImportSpecifier") processNames.add(part.local.name);
        else if (nameOf(part.imported) === "env") environmentReads.push(lineAt(part.start));
      }
    },
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration(node) {
      add(node.source);
      exportStars.push(lineAt(node.start));
    },
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
    CallExpression(node) {
      const called = text.slice(node.callee.start, node.callee.end);
      const [first] = node.arguments;
      if (/^(require|require\.resolve|import\.meta\.resolve)$/.test(called) && first?.type !== "SpreadElement")
        add(first);
    },
    NewExpression(node) {
      const [first, base] = node.arguments;
      if (node.callee.type !== "Identifier" || node.callee.name !== "URL" || first?.type !== "Literal") return;
      const aboutThisFile = base && /^import\.meta\.(url|filename)$/.test(text.slice(base.start, base.end));
      if (aboutThisFile && codeFile.test(String(first.value))) add(first);
    },
    MemberExpression(node) {
      const property =
        node.property.type === "Identifier" && !node.computed ? node.property.name : textOf(node.property);
      const owner = node.object.type === "MemberExpression" ? node.object.property : node.object;
      if (property === "env" && owner.type === "Identifier" && processNames.has(owner.name)) {
        environmentReads.push(lineAt(node.start));
      }
    },
    VariableDeclarator(node) {
      if (node.id.type !== "ObjectPattern" || node.init?.type !== "Identifier" || !processNames.has(node.init.name))
        return;
      for (const part of node.id.properties) {
        if (part.type === "Property" && nameOf(part.key) === "env") environmentReads.push(lineAt(part.start));
      }
    },
  }).visit(parsed.program);
  const logic = parsed.program.body
    .filter((statement) => !(statement.type === "ExportNamedDeclaration" && statement.source !== null))
    .filter((statement) => statement.type !== "ExportAllDeclaration")
    .map((statement) => lineAt(statement.start));
  return { path, imports, environmentReads, exportStars, logic };
}

interface Node {
  readonly type: string;
}

/** The text of a string literal, or of a template without holes. */
function textOf(node: Node | null | undefined): string | undefined {
  if (!node) return undefined;
  if (node.type === "Literal" && "value" in node && typeof node.value === "string") return node.value;
  if (node.type === "TSLiteralType" && "literal" in node) return textOf(node.literal as Node);
  if (node.type !== "TemplateLiteral") return undefined;
  const { expressions, quasis } = node as unknown as {
    expressions: unknown[];
    quasis: { value: { cooked: string } }[];
  };
  return expressions.length === 0 ? quasis[0]?.value.cooked : undefined;
}

function nameOf(node: Node): string | undefined {
  return "name" in node && typeof node.name === "string" ? node.name : textOf(node);
}
