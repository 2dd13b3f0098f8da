/**
 * A receiver's reading of remote write 2.0, strict: what it decodes comes from protobufjs' reflection on the published
 * proto, not from anything of the code under test, and every rule of the specification is checked.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { ReceivedSeries } from './remote-write-receiver.js';
import { readFields } from './wire.js';

const proto = readFileSync(new URL('../../proto/remote-write-v2.proto', import.meta.url), 'utf8');
const requestType = protobuf
  .parse(proto, { keepCase: true })
  .root.lookupType('io.prometheus.write.v2.Request');

interface DecodedRequest {
  readonly symbols: string[];
  readonly timeseries: {
    readonly labels_refs: number[];
    readonly samples: { value: number; timestamp: number; start_timestamp: number }[];
    readonly exemplars: { labels_refs: number[]; value: number; timestamp: number }[];
    readonly metadata: { type: string; help_ref: number; unit_ref: number } | null;
  }[];
}

/** What breaks a rule goes to `problems`, each with its place. */
export function decodeRequestV2(message: Buffer, problems: string[]): ReceivedSeries[] {
  const check = (isFine: boolean, problem: string) => void (isFine || problems.push(problem));
  const fields = readFields(message);
  for (const { number, bytes } of fields) {
    check(number === 4 || number === 5, `field ${number} of the request`);
    check(number !== 4 || isUtf8(bytes), 'a symbol that is not UTF-8');
  }
  const { symbols, timeseries } = requestType.toObject(requestType.decode(message), {
    longs: Number,
    enums: String,
    arrays: true,
    defaults: true,
  }) as DecodedRequest;
  check(symbols[0] === '', 'symbol 0 is not empty');
  check(new Set(symbols).size === symbols.length, 'a symbol twice');

  const labelsOf = (refs: readonly number[], where: string): [string, string][] => {
    check(refs.length % 2 === 0, `${where}: an odd number of references`);
    check(
      refs.every((ref) => ref < symbols.length),
      `${where}: a reference out of range`,
    );
    const pairs: [string, string][] = [];
    for (let i = 0; i + 1 < refs.length; i += 2) pairs.push([symbols[refs[i]!]!, symbols[refs[i + 1]!]!]);
    check(
      pairs.every(([name, value]) => name !== '' && value !== ''),
      `${where}: an empty name or value`,
    );
    const names = pairs.map(([name]) => Buffer.from(name));
    check(
      names.every((name, i) => i === 0 || Buffer.compare(names[i - 1]!, name) < 0),
      `${where}: names are not sorted, or one is there twice`,
    );
    return pairs;
  };

  const messages = fields.filter(({ number }) => number === 5).map(({ bytes }) => readFields(bytes));
  const seen = new Set<string>();
  return timeseries.map(({ labels_refs, samples, exemplars, metadata }, i) => {
    const labels = labelsOf(labels_refs, `series ${i}`);
    const key = labels.map(([name, value]) => `${name}=${value}`).join();
    const where = `series ${key}`;
    check(
      labels.some(([name]) => name === '__name__'),
      `${where}: no name`,
    );
    check(!seen.has(key), `${where}: twice in a request`);
    seen.add(key);
    for (const { number } of messages[i]!) check([1, 2, 4, 5].includes(number), `${where}: field ${number}`);
    check(samples.length > 0, `${where}: TimeSeries must contain at least one sample`);
    const isRising = samples.every((one, n) => n === 0 || samples[n - 1]!.timestamp < one.timestamp);
    check(isRising, `${where}: samples out of order`);
    for (const { timestamp, start_timestamp } of samples) {
      check(timestamp > 1e12 && timestamp < 1e13, `${where}: a timestamp not in milliseconds: ${timestamp}`);
      check(start_timestamp <= timestamp, `${where}: begins after its sample`);
    }
    exemplars.forEach(({ timestamp }, n) => {
      check(n === 0 || exemplars[n - 1]!.timestamp <= timestamp, `${where}: exemplars out of order`);
      check(timestamp > 1e12 && timestamp < 1e13, `${where}: an exemplar not in milliseconds: ${timestamp}`);
    });
    const sampleMessages = messages[i]!.filter(({ number }) => number === 2);
    return {
      key,
      labels: Object.fromEntries(labels),
      samples: samples.map(({ value, timestamp }) => ({ value, timestamp })),
      exemplars: exemplars.map((exemplar) => {
        const pairs = labelsOf(exemplar.labels_refs, `exemplar of ${key}`);
        check(pairs.length > 0, `exemplar of ${key}: no labels`);
        const codePoints = [...pairs.flat().join('')].length;
        check(codePoints <= 128, `exemplar of ${key}: ${codePoints} code points`);
        return { labels: Object.fromEntries(pairs), value: exemplar.value, timestamp: exemplar.timestamp };
      }),
      v2: {
        sampleBits: sampleMessages.map(
          ({ bytes }) => readFields(bytes).find(({ number }) => number === 1)!.bits,
        ),
        starts: samples.map(({ start_timestamp }) => start_timestamp),
        type: metadata?.type ?? 'METRIC_TYPE_UNSPECIFIED',
        help: symbols[metadata?.help_ref ?? 0]!,
        unit: symbols[metadata?.unit_ref ?? 0]!,
      },
    };
  });
}
