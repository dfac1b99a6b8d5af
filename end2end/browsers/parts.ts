/** Where something stands on a page, as an XPath that begins anywhere below another one. */
export type Part = string;

const quoted = (text: string): string => (text.includes('"') ? `'${text}'` : `"${text}"`);

const says = (name: string): string => `normalize-space(.)=${quoted(name)} or @aria-label=${quoted(name)}`;

/** Everything that its class names. */
export const ofClass = (name: string): Part => `//*[contains(concat(' ', @class, ' '), ' ${name} ')]`;

export const within = (outer: Part, inner: Part): Part => outer + inner;

/** The same part, but only where it contains these words. */
export const containing = (part: Part, words: string): Part => `${part}[contains(normalize-space(.), ${quoted(words)})]`;

export const button = (name: string): Part => `//button[${says(name)}]`;

export const link = (name: string): Part => `//a[${says(name)}]`;

export const heading = (name: string): Part => `//*[self::h1 or self::h2 or self::h3][${says(name)}]`;

/** What opens something that is folded. */
export const summary = (begin: string): Part => `//summary[starts-with(normalize-space(.), ${quoted(begin)})]`;

/** A radio button or a box to tick, by the words beside it: a person clicks on those. */
export const choice = (begin: string): Part => `//label[.//input][starts-with(normalize-space(.), ${quoted(begin)})]`;

/** A field to write in, by its label: one that names it or one that holds it. */
export const field = (label: string): Part => {
  const labelled = `label[starts-with(normalize-space(.), ${quoted(label)})]`;
  const is = `@aria-label=${quoted(label)} or @id=//${labelled}/@for or ancestor::${labelled}`;
  return `//*[self::input or self::textarea][${is}]`;
};

export const dialog = (name: string): Part => `//dialog[h2[${says(name)}]]`;

export const option = (words: string): Part => containing("//*[@role='option']", words);

export const tab = (name: string): Part => `//*[@role='tab'][.//*[${says(name)}]]`;

/** A figure in the head of a run. */
export const fact = (name: string): Part =>
  `${ofClass("run-facts")}/div[dt[starts-with(normalize-space(.), ${quoted(name)})]]/dd`;

/** The card of a node in the graph. */
export const card = (label: string): Part =>
  `//*[starts-with(@aria-label, 'Graph of the run')]//button[starts-with(normalize-space(@aria-label), ${quoted(label)}) or starts-with(normalize-space(.), ${quoted(label)})]`;

/** What a run asks of people. */
export const ask = (question: string): Part => `//article[contains(@class, 'ask')][.//h2[${says(question)}]]`;

/** The state of a run, in its head. */
export const pill: Part = ofClass("run-title") + ofClass("pill");

export const transcript: Part = "//*[@role='log'][@aria-label='Transcript']";

export const inspector: Part = "//aside[@aria-label='Inspector']";
