import { decodeLabels, encodeLabels } from '../model/encoded-labels.js';
import type { EncodedExemplar } from '../model/exemplar.js';
import { countCodePoints, type Labels } from '../model/labels.js';
import { type CompiledRules, relabel } from '../model/relabel.js';

/**
 * `exemplar_relabel_configs`: relabelling over the labels that an exemplar brings itself, before their length is
 * judged. An exemplar too long to be read whole stays what it is, too long.
 */
export class ExemplarRelabelling {
  readonly #rules: CompiledRules;

  constructor(rules: CompiledRules) {
    this.#rules = rules;
  }

  /** @returns what to take in in its place, valid until the exemplar given changes; undefined: it is dropped */
  rewrite(exemplar: EncodedExemplar): EncodedExemplar | undefined {
    if (!Number.isFinite(exemplar.codePoints)) return exemplar;
    const before = decodeLabels(exemplar.labels, 0, exemplar.labelsLength);
    const after = relabel(before, this.#rules);
    if (after === undefined) return undefined;
    return after === before ? exemplar : withLabels(exemplar, after);
  }
}

function withLabels(
  { value, timestampMs, hasOwnTimestamp }: EncodedExemplar,
  labels: Labels,
): EncodedExemplar {
  const encoded = encodeLabels(labels);
  return {
    value,
    timestampMs,
    hasOwnTimestamp,
    labels: encoded,
    labelsLength: encoded.length,
    codePoints: countCodePoints(labels),
  };
}
