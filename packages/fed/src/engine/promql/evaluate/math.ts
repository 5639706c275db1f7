/** Functions of one number. */
export const mathFunctions: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => (value * 180) / Math.PI,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  rad: (value) => (value * Math.PI) / 180,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
};

/** Functions of a moment, in seconds since the epoch; all in UTC. */
export const calendarFunctions: Readonly<Record<string, (seconds: number) => number>> = {
  day_of_month: (seconds) => dateOf(seconds).getUTCDate(),
  day_of_week: (seconds) => dateOf(seconds).getUTCDay(),
  day_of_year(seconds) {
    const date = dateOf(seconds);
    const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
    return (day - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000 + 1;
  },
  days_in_month(seconds) {
    const date = dateOf(seconds);
    return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  },
  hour: (seconds) => dateOf(seconds).getUTCHours(),
  minute: (seconds) => dateOf(seconds).getUTCMinutes(),
  month: (seconds) => dateOf(seconds).getUTCMonth() + 1,
  year: (seconds) => dateOf(seconds).getUTCFullYear(),
};

function dateOf(seconds: number): Date {
  return new Date(Math.trunc(seconds) * 1000);
}

export function roundTo(value: number, nearest: number): number {
  const inverse = 1 / nearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

/** Between two bounds, as IEEE 754 has it: an infinity that decides wins over NaN. */
export function clampTo(value: number, min: number, max: number): number {
  const upper = isLeast(value) || isLeast(max) ? Number.NEGATIVE_INFINITY : Math.min(max, value);
  return isMost(upper) || isMost(min) ? Number.POSITIVE_INFINITY : Math.max(min, upper);
}

function isLeast(value: number): boolean {
  return value === Number.NEGATIVE_INFINITY;
}

function isMost(value: number): boolean {
  return value === Number.POSITIVE_INFINITY;
}

/** As IEEE 754 has it: 1 to whatever power is 1, which JavaScript denies. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY) return 1;
  return base ** exponent;
}

export const arithmetic: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "^": power,
  atan2: Math.atan2,
};

export const comparisons: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  "==": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<": (left, right) => left < right,
  ">": (left, right) => left > right,
  "<=": (left, right) => left <= right,
  ">=": (left, right) => left >= right,
};
