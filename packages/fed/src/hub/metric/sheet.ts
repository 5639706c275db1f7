/** Bytes of a text that is being written, piece by piece: an answer may have millions of numbers. */
export interface Sheet {
  data: Uint8Array<ArrayBuffer>;
  at: number;
}

/** Written in two milliseconds or so. */
const pieceBytes = 256 * 1024;
/** The first piece of an answer: most need no second one. */
const firstBytes = 32 * 1024;

export function sheetOf(): Sheet {
  return { data: new Uint8Array(firstBytes), at: 0 };
}

/** Whether the next few letters or a number fit no more: time to `tear`. */
export function isFull({ data, at }: Sheet): boolean {
  return data.length - at < 128;
}

/** What is written so far; the sheet goes on empty. The piece is the caller's. */
export function tear(sheet: Sheet): Uint8Array<ArrayBuffer> {
  const piece = finish(sheet);
  sheet.data = new Uint8Array(pieceBytes);
  sheet.at = 0;
  return piece;
}

/** The last piece: nothing is written after it. */
export function finish({ data, at }: Sheet): Uint8Array<ArrayBuffer> {
  return data.subarray(0, at);
}

const encoder = new TextEncoder();

/** Any text. */
export function writeText(sheet: Sheet, text: string): void {
  // A unit of UTF-16 has three bytes of UTF-8 at most.
  const least = sheet.at + 3 * text.length + 128;
  if (least > sheet.data.length) {
    const longer = new Uint8Array(Math.max(pieceBytes, 2 * least));
    longer.set(sheet.data.subarray(0, sheet.at));
    sheet.data = longer;
  }
  sheet.at += encoder.encodeInto(text, sheet.data.subarray(sheet.at)).written;
}

/** Letters of ASCII for which there is room. */
export function writeAscii(sheet: Sheet, text: string): void {
  const { data } = sheet;
  let { at } = sheet;
  for (let i = 0; i < text.length; i++) data[at++] = text.charCodeAt(i);
  sheet.at = at;
}

const [zero, minus, point] = [48, 45, 46];
/** Beyond it thousandths are no whole numbers that a float holds apart. */
const mostThousandths = 1e15;

/** As Prometheus' API writes a float, without quotes. There must be room. */
export function writeNumber(sheet: Sheet, value: number): void {
  const size = value < 0 ? -value : value;
  const thousandths = Math.round(size * 1_000);
  // Most of what is measured has three digits behind the point at most. Of fifteen digits each set is another float.
  if (thousandths < mostThousandths && thousandths / 1_000 === size) {
    if (value < 0 || (value === 0 && Object.is(value, -0))) sheet.data[sheet.at++] = minus;
    const whole = Math.floor(thousandths / 1_000);
    writeWhole(sheet, whole);
    if (whole * 1_000 !== thousandths) writeFraction(sheet, thousandths - whole * 1_000);
  } else writeAscii(sheet, printOdd(value));
}

function writeWhole(sheet: Sheet, whole: number): void {
  if (whole >= 1e9) {
    const high = Math.floor(whole / 1e9);
    writeWhole(sheet, high);
    writeDigits(sheet, whole - high * 1e9, 9);
    return;
  }
  let digits = 1;
  for (let limit = 10; limit <= whole; limit *= 10) digits++;
  writeDigits(sheet, whole, digits);
}

/** With zeros before it; below 10^9. */
function writeDigits(sheet: Sheet, whole: number, digits: number): void {
  const { data, at } = sheet;
  let rest = whole | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    data[i] = zero + rest - tenth * 10;
    rest = tenth;
  }
  sheet.at = at + digits;
}

function writeFraction(sheet: Sheet, thousandths: number): void {
  sheet.data[sheet.at++] = point;
  writeDigits(sheet, thousandths, 3);
  while (sheet.data[sheet.at - 1] === zero) sheet.at--;
}

function printOdd(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const text = String(value);
  // Its exponents have two digits at least.
  return text.includes("e") ? text.replace(/e([+-])(\d)$/, "e$10$2") : text;
}
