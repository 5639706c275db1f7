const esc = "\u001b";
const bell = "\u0007";

/** Escape sequences of terminals: titles and links (to a bell or ESC \), colours and cursor (CSI), two-letter ones. */
const sequences = new RegExp(
  [
    `(?:${esc}[\\]PX^_]|[\u0090\u0098\u009d-\u009f])[^${bell}${esc}\u009c]*(?:${bell}|${esc}\\\\|\u009c|$)`,
    `(?:${esc}\\[|\u009b)[0-?]*[ -/]*(?:[@-~]|$)`,
    `${esc}[ -/]*(?:[0-~]|$)`,
  ].join("|"),
  "g",
);

/** What else a terminal does not show. A tab stays. */
const controls = /(?!\t)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/**
 * A line as a terminal would leave it, without colours: what a carriage return began anew shows its last state, and
 * nothing in it can hide or reorder other text.
 */
export function plainLine(text: string): string {
  if (!needsCare(text)) return text;
  const bare = text.replace(sequences, "");
  const parts = bare.split("\r").filter((part) => part !== "");
  return (parts.at(-1) ?? "").replace(controls, "");
}

/** Most lines are plain: they are looked at once and left alone. */
function needsCare(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 32 ? code !== 9 : code >= 127 && (code < 160 || (code >= 0x2028 && code <= 0x2069))) return true;
  }
  return false;
}
