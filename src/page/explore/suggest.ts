import type { MetadataAnswer } from '../api/answers.js';
import { type Answer, ask } from '../api/client.js';
import type { CompletionContext } from './completion.js';
import { escapeRegex, matcherText } from './promql.js';

export interface Suggestion {
  readonly value: string;
  /** Of a metric: its type. */
  readonly type?: string;
  /** Of a metric: what its target says of it. */
  readonly help?: string;
}

const MAX_SUGGESTIONS = 50;
const MAX_LABEL_NAMES = 1000;
const MAX_METADATA = 2000;

/**
 * What the server has for the place at the cursor. Values are matched by the server, which may have millions.
 * @throws {ApiError}
 */
export async function suggest(context: CompletionContext, signal: AbortSignal): Promise<Suggestion[]> {
  const { kind, word, label, selector } = context;
  switch (kind) {
    case 'metric': {
      const [{ data }, metadata] = await Promise.all([
        labelValues('__name__', word, undefined, signal),
        metricMetadata(signal),
      ]);
      return ranked(data, word).map((value) => ({ value, ...describe(value, metadata) }));
    }
    case 'label-name': {
      const { data } = await ask<string[]>('labels', { 'match[]': selector, limit: MAX_LABEL_NAMES }, signal);
      return ranked(
        data.filter((name) => name !== '__name__' && includesWord(name, word)),
        word,
      ).map((value) => ({ value }));
    }
    case 'label-value': {
      const { data } = await labelValues(label!, word, selector, signal);
      return ranked(data, word).map((value) => ({ value }));
    }
  }
}

function labelValues(
  label: string,
  word: string,
  selector: string | undefined,
  signal: AbortSignal,
): Promise<Answer<string[]>> {
  const matcher = word === '' ? undefined : matcherText(label, '=~', `(?i).*${escapeRegex(word)}.*`);
  const match = matcher === undefined ? selector : joinedSelector(selector, matcher);
  const path = `label/${encodeURIComponent(label)}/values` as const;
  return ask<string[]>(path, { 'match[]': match, limit: MAX_SUGGESTIONS }, signal);
}

function joinedSelector(selector: string | undefined, matcher: string): string {
  if (selector === undefined) return `{${matcher}}`;
  return selector.endsWith('}') ? `${selector.slice(0, -1)},${matcher}}` : `${selector}{${matcher}}`;
}

function includesWord(name: string, word: string): boolean {
  return name.toLowerCase().includes(word.toLowerCase());
}

/** What begins with the word first. */
function ranked(values: readonly string[], word: string): string[] {
  const begins = (value: string) => value.toLowerCase().startsWith(word.toLowerCase());
  return [...values.filter(begins), ...values.filter((value) => !begins(value))].slice(0, MAX_SUGGESTIONS);
}

const FAMILY_ENDINGS = /_(total|bucket|count|sum|gcount|gsum|info|created)$/;

/** Metadata is by metric family: of `x_bucket` and `x_total` that is `x`. */
export function describe(metric: string, metadata: MetadataAnswer): { type?: string; help?: string } {
  const family = metric.replace(FAMILY_ENDINGS, '');
  const known = [metric, family].find((name) => Object.hasOwn(metadata, name));
  const [first] = known === undefined ? [] : metadata[known]!;
  return first === undefined ? {} : { type: first.type, help: first.help };
}

/** Help is an extra: without it, names are still names. */
async function metricMetadata(signal: AbortSignal): Promise<MetadataAnswer> {
  try {
    return (await ask<MetadataAnswer>('metadata', { limit: MAX_METADATA, limit_per_metric: 1 }, signal)).data;
  } catch (error) {
    if (signal.aborted) throw error;
    return {};
  }
}
