/** One condition of a selector on a label. Regular expressions are RE2's, anchored at both ends; `.` matches a newline. */
export interface Matcher {
  readonly name: string;
  readonly kind: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}
