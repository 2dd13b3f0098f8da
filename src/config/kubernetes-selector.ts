/** Selectors of Kubernetes objects, as its own parsers take them (apimachinery, labels.Parse and fields.ParseSelector). */

const NAME = `[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?`;
const PREFIX = `[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?`;
const KEY = `(?:${PREFIX}/)?${NAME}`;
const VALUE = `(?:${NAME})?`;
const VALUES = String.raw`\(\s*${VALUE}(?:\s*,\s*${VALUE})*\s*\)`;
const REQUIREMENT = String.raw`(?:!\s*${KEY}|${KEY}(?:\s*(?:=|==|!=)\s*${VALUE}|\s*[<>]\s*\d+|\s+(?:in|notin)\s*${VALUES})?)`;

const LABEL_SELECTOR = new RegExp(String.raw`^\s*(?:${REQUIREMENT}(?:\s*,\s*${REQUIREMENT})*)?\s*$`);

export function isLabelSelector(text: string): boolean {
  return LABEL_SELECTOR.test(text);
}

/** Commas and equals signs in a value are escaped. Empty terms are left out, as there. */
const FIELD_TERM = /^(?:[^=!]|!(?!=))+(?:==|!=|=)(?:[^\\,=]|\\[\\,=])*$/;
const BETWEEN_TERMS = /(?<=(?:^|[^\\])(?:\\\\)*),/;

export function isFieldSelector(text: string): boolean {
  return text.split(BETWEEN_TERMS).every((term) => term === '' || FIELD_TERM.test(term));
}
