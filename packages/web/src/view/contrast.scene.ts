/** How well colours can be told apart (WCAG 2.2). Only tests measure; the tokens are what is measured. */

/** Red, green and blue, linear, 0 to 1. */
type Linear = readonly [number, number, number];

/** The value of each colour token in both themes, read from the text of `tokens.css`. */
export function readColors(css: string): ReadonlyMap<string, { readonly light: string; readonly dark: string }> {
  const colors = new Map<string, { readonly light: string; readonly dark: string }>();
  const pattern = /--color-([a-z0-9-]+):\s*light-dark\((oklch\([^)]*\)),\s*(oklch\([^)]*\))\)/g;
  for (const [, name = "", light = "", dark = ""] of css.matchAll(pattern)) colors.set(name, { light, dark });
  return colors;
}

/** From 1 (the same) to 21 (black on white). */
export function contrastOf(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = linearOf(color).map((part) => Math.min(1, Math.max(0, part))) as unknown as Linear;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** `oklch(L C h)` as linear sRGB (Björn Ottosson's matrices). */
function linearOf(color: string): Linear {
  const [lightness = 0, chroma = 0, hue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}
