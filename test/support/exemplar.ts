import { encodeLabels } from '../../src/model/encoded-labels.js';
import type { EncodedExemplar, Exemplar } from '../../src/model/exemplar.js';
import { countCodePoints, type Labels, labelsFromRecord } from '../../src/model/labels.js';

export function encodedExemplar(exemplar: Exemplar): EncodedExemplar {
  const labels = encodeLabels(exemplar.labels);
  return {
    ...exemplar,
    // Stale bytes follow, as they do in the buffer of a parser.
    labels: Buffer.concat([labels, Buffer.from('0123456789abcdef\xff', 'latin1')]),
    labelsLength: labels.length,
    codePoints: countCodePoints(exemplar.labels),
  };
}

export function traced(timestampMs: number, id: string, value = 1): EncodedExemplar {
  const labels: Labels = labelsFromRecord({ trace_id: id });
  return encodedExemplar({ labels, value, timestampMs, hasOwnTimestamp: true });
}
