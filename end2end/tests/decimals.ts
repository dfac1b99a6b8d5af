/** Exact decimals for calculations by hand: whole numbers of a billionth. */
export type Exact = bigint;

const places = 9;
const one = 10n ** BigInt(places);

/** Reads `-1234.5`. */
export function exact(text: string): Exact {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) throw new Error(`"${text}" is no decimal of at most ${places} places`);
  const [, sign, whole = "", fraction = ""] = match;
  const value = BigInt(whole + fraction.padEnd(places, "0"));
  return sign ? -value : value;
}

/** `part / whole`, to a billionth. */
export function share(part: Exact, whole: Exact): Exact {
  return (part * one) / whole;
}

/** As the page shows amounts: rounded half away from zero, in groups of three, with a true minus. */
export function grouped(value: Exact, shownPlaces: number): string {
  const unit = 10n ** BigInt(places - shownPlaces);
  const size = value < 0n ? -value : value;
  const rounded = (size + unit / 2n) / unit;
  const digits = rounded.toString().padStart(shownPlaces + 1, "0");
  const whole = digits.slice(0, digits.length - shownPlaces).replace(/\B(?=(\d{3})+$)/g, ",");
  const shown = shownPlaces === 0 ? whole : `${whole}.${digits.slice(-shownPlaces)}`;
  return value < 0n && rounded > 0n ? `\u2212${shown}` : shown;
}

/** As the page shows fractions: `−13.48 %`. */
export function percent(fraction: Exact, shownPlaces: number): string {
  return `${grouped(fraction * 100n, shownPlaces)} %`;
}
