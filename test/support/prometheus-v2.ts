import type { ReceivedRequest, Reply } from './remote-write-receiver.js';

/** What a receiver of remote write 2.0 has. */
export interface StoreV2 {
  readonly reply: (request: ReceivedRequest) => Reply;
  /** Times by series; of samples those accepted, of exemplars those stored. */
  readonly samples: Map<string, number[]>;
  readonly exemplars: Map<string, number[]>;
}

/**
 * A receiver that does with a request of 2.0 what Prometheus' write handler does (storage/remote/write_handler.go,
 * appendV2): what is good is written, the rest becomes lines of a 400, and headers count what was written.
 * @param version decides whether exemplars without a sample are refused (from 3.8 on) or need a known series
 */
export function storeV2(version: '3.7' | '3.8'): StoreV2 {
  const samples = new Map<string, number[]>();
  const exemplars = new Map<string, number[]>();
  const reply = ({ series }: ReceivedRequest): Reply => {
    const errors: string[] = [];
    let samplesWritten = 0;
    let exemplarsWritten = 0;
    for (const one of series) {
      if (one.samples.length === 0 && version === '3.8') {
        errors.push(`TimeSeries must contain at least one sample or histogram for series {${one.key}}`);
        continue;
      }
      for (const { timestamp } of one.samples) {
        const times = timesOf(samples, one.key);
        if (timestamp < (times.at(-1) ?? 0)) errors.push(`out of order sample for series {${one.key}}`);
        else {
          samplesWritten++;
          if (timestamp !== times.at(-1)) times.push(timestamp);
        }
      }
      if (!samples.has(one.key)) continue;
      for (const { timestamp } of one.exemplars) {
        const times = timesOf(exemplars, one.key);
        if (timestamp < (times.at(-1) ?? 0)) errors.push(`out of order exemplar for series {${one.key}}`);
        else {
          exemplarsWritten++;
          if (timestamp !== times.at(-1)) times.push(timestamp);
        }
      }
    }
    const headers = {
      'x-prometheus-remote-write-samples-written': String(samplesWritten),
      'x-prometheus-remote-write-histograms-written': '0',
      'x-prometheus-remote-write-exemplars-written': String(exemplarsWritten),
    };
    return errors.length === 0 ? { status: 204, headers } : { status: 400, headers, body: errors.join('\n') };
  };
  return { reply, samples, exemplars };
}

function timesOf(bySeries: Map<string, number[]>, key: string): number[] {
  const known = bySeries.get(key);
  if (known !== undefined) return known;
  const times: number[] = [];
  bySeries.set(key, times);
  return times;
}
