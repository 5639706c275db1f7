import fc from "fast-check";
import { aggregators } from "./ast.ts";
import { type FunctionName, functions, signatureOf } from "./function.ts";

/** Texts of queries, of each type, with all that the language has; written in many ways. */
type Queries = {
  readonly vector: string;
  readonly scalar: string;
  readonly matrix: string;
  readonly string: string;
};

const names = Object.keys(functions) as FunctionName[];
const gap = fc.constantFrom("", " ", "\n", "\t ", " # a note\n");
const metric = fc.constantFrom(
  "up",
  "a:b:c",
  "sum",
  "by",
  "offset",
  "start",
  "and",
  "inf_total",
  "http_requests_total",
  "fill",
);
const label = fc.constantFrom("job", "instance", "le", "on", "bool", "by", "sum", "__name", "_");
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "a\nb", '"', "\\", "`", "'", "\u0000"),
);
const literal = fc.oneof(
  anyText.map((text) => JSON.stringify(text).replaceAll("\\/", "/")),
  anyText.filter((text) => !text.includes("`")).map((text) => `\`${text}\``),
  fc.constantFrom("'it\\'s'", '"\\xe2\\x82\\xac"', '"\\xff\\xfe"', '"\\101"', '"\\U0001F600"', '"\\a\\v"'),
);
const quotedName = fc.constantFrom('"foo.bar"', "'a b'", "`π`", '"x\\ty"', '"inf"');
const labelName = fc.oneof({ weight: 4, arbitrary: label }, { weight: 1, arbitrary: quotedName });
const duration = fc.constantFrom("5m", "1h30m", "1y2w3d4h5m6s7ms", "500ms", "30", "1.5", "0x1f", "1_000", "90s", "1e3");
const number = fc.oneof(
  fc
    .double({ noNaN: true, min: 0 })
    .map(String)
    .map((text) => text.replace("Infinity", "Inf")),
  fc.constantFrom("0", "1", ".5", "1.", "0x1F", "0755", "1_000.5", "1e-9", "Inf", "NaN", "nan", "5m", "0s", "1d"),
);
const labels = fc.array(labelName, { maxLength: 3 }).map((list) => `(${list.join(" , ")})`);
const moved = fc.constantFrom(
  "",
  "",
  "",
  " offset 5m",
  " offset -1h",
  " @ 1.5",
  " @ start()",
  " @ -3 offset 30",
  " offset 1m @ end()",
);

const matcher = fc.oneof(
  fc.tuple(labelName, gap, fc.constantFrom("=", "!="), literal).map((parts) => parts.join("")),
  fc
    .tuple(labelName, fc.constantFrom("=~", "!~"), fc.constantFrom('"a|b"', '".+"', "'(?i)x.*'"))
    .map((parts) => parts.join("")),
);
const braces = fc.tuple(fc.array(matcher, { maxLength: 3 }), gap, fc.boolean()).map(([list, space, comma]) => {
  return `{${list.join(`,${space}`)}${comma && list.length > 0 ? "," : ""}}`;
});
const selector = fc.oneof(
  metric,
  fc.tuple(metric, braces).map(([name, rest]) => name + rest),
  fc.tuple(quotedName, matcher).map(([name, one]) => `{${name}, ${one}}`),
  fc.tuple(matcher).map(([one]) => `{${one}, job=~".+", __name__!="x"}`),
);

const fill = fc.constantFrom(
  "",
  "",
  " fill(0)",
  " fill_left (-1)",
  " fill_right(NaN)",
  " fill_left(1) fill_right (5m)",
);
const grouped = fc.tuple(fc.constantFrom("group_left", "GROUP_RIGHT"), fc.constantFrom(" ()", "(role)", ' ("a b", x)'));
const matching = fc.oneof(
  fc.constant(""),
  fc.tuple(fc.constantFrom("on", "ignoring", "ON"), labels).map(([word, list]) => ` ${word} ${list}`),
  fc.tuple(fc.constantFrom("on", "ignoring"), grouped).map(([word, group]) => ` ${word} (job) ${group.join("")}`),
);
const arithmetic = fc.constantFrom("+", "-", "*", "/", "%", "^", " atan2 ", " ATAN2 ");
const comparison = fc.constantFrom("==", "!=", "<", ">", "<=", ">=");
const grouping = fc.tuple(fc.constantFrom(" by", " without", " BY "), labels).map((parts) => parts.join(""));

const queries = fc.letrec<Queries>((tie) => {
  const vector: fc.Arbitrary<string> = tie("vector");
  const scalar: fc.Arbitrary<string> = tie("scalar");
  const matrix: fc.Arbitrary<string> = tie("matrix");
  const text: fc.Arbitrary<string> = tie("string");
  return {
    scalar: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      number,
      fc.tuple(gap, scalar).map(([space, one]) => `(${space}${one})`),
      fc.tuple(fc.constantFrom("-", "+ "), scalar).map((parts) => parts.join("")),
      fc.tuple(scalar, arithmetic, gap, scalar).map((parts) => parts.join(" ")),
      fc.tuple(scalar, comparison, scalar).map(([a, op, b]) => `(${a} ${op} bool ${b})`),
      vector.map((one) => `scalar(${one})`),
    ),
    string: fc.oneof(
      { depthSize: "small" },
      literal,
      text.map((one) => `( ${one} )`),
    ),
    matrix: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.tuple(selector, gap, duration, gap, moved).map(([one, a, length, b, at]) => `${one}${a}[${b}${length}]${at}`),
      fc
        .tuple(vector, duration, fc.constantFrom("", "1m", "15"), moved)
        .map(([one, a, b, at]) => `(${one})[${a}:${b}]${at}`),
      fc.tuple(selector, moved, duration).map(([one, at, length]) => `${one}${at}[${length}:]`),
    ),
    vector: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.tuple(selector, moved).map((parts) => parts.join("")),
      fc.tuple(gap, vector, gap).map(([a, one, b]) => `(${a}${one}${b})`),
      fc.tuple(fc.constantFrom("-", "+"), vector).map((parts) => parts.join("")),
      fc.tuple(vector, arithmetic, matching, fill, vector).map((parts) => parts.join(" ")),
      fc
        .tuple(vector, comparison, fc.constantFrom("", "bool", "BOOL"), matching, fill, vector)
        .map((parts) => parts.join(" ")),
      fc.tuple(vector, arithmetic, scalar).map((parts) => `(${parts.join(" ")})`),
      fc
        .tuple(vector, fc.constantFrom("and", "OR", "unless"), fc.constantFrom("", "on (job)", "ignoring ()"), vector)
        .map((parts) => parts.join(" ")),
      fc.tuple(fc.constantFrom(...aggregators), grouping, fc.nat(2), vector, scalar, text).map(aggregate),
      fc.tuple(fc.constantFrom(...names), fc.nat(2), vector, matrix, scalar, text).map(call),
    ),
  };
});

function aggregate([op, by, place, vector, scalar, text]: [string, string, number, string, string, string]): string {
  const param = op === "count_values" ? `${text}, ` : /topk|bottomk|quantile/.test(op) ? `${scalar}, ` : "";
  return `${op}${place === 0 ? by : ""} (${param}${vector})${place === 1 ? by : ""}`;
}

function call([name, extra, vector, matrix, scalar, text]: [
  FunctionName,
  number,
  string,
  string,
  string,
  string,
]): string {
  const { args, last, result } = signatureOf(name);
  const given = { vector, matrix, scalar, string: text };
  const list = args.map((type) => given[type]);
  if (last === "optional" && extra === 0) list.pop();
  if (last === "repeated") list.push(...Array.from({ length: extra }, () => text));
  const written = `${name}(${list.join(", ")})`;
  return result === "scalar" ? `vector(${written})` : written;
}

/** A query of any type. */
export const anyQuery: fc.Arbitrary<string> = fc.oneof(queries.vector, queries.scalar, queries.matrix, queries.string);
