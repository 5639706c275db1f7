/** What a state means to a person, whatever it is a state of. Shown as colour and mark, always beside a word. */
export const tones = ["good", "info", "warn", "bad", "idle"] as const;
export type Tone = (typeof tones)[number];

/** A state as people see it. */
export interface Look {
  readonly word: string;
  readonly tone: Tone;
  /** It is on its way to another state by itself. */
  readonly moving?: boolean;
}

/** The colour of a word or mark. */
export const toneText: Readonly<Record<Tone, string>> = {
  good: "text-good",
  info: "text-info",
  warn: "text-warn",
  bad: "text-bad",
  idle: "text-idle",
};

/** A quiet ground with its word on it. */
export const toneBadge: Readonly<Record<Tone, string>> = {
  good: "bg-good-wash text-good",
  info: "bg-info-wash text-info",
  warn: "bg-warn-wash text-warn",
  bad: "bg-bad-wash text-bad",
  idle: "bg-idle-wash text-idle",
};

/** The worst of several tones: what a summary shows. Nothing is idle. */
export function worstTone(given: readonly Tone[]): Tone {
  const order: readonly Tone[] = ["bad", "warn", "info", "good", "idle"];
  return order.find((tone) => given.includes(tone)) ?? "idle";
}
