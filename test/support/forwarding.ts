import type { Test } from 'tap';
import { createForwarder, type Forwarder } from '../../src/forward/forwarder.js';
import { RemoteWriteMetrics } from '../../src/forward/metrics.js';
import {
  DEFAULT_QUEUE,
  DEFAULT_REMOTE_WRITE,
  type QueueOptions,
  type RemoteWriteOptions,
} from '../../src/forward/options.js';
import { MemoryLog } from '../../src/journal/memory-log.js';
import type { Batch, BatchReader } from '../../src/model/batch.js';
import { createRegistry, type MetricsRegistry } from '../../src/telemetry/registry.js';
import type { Log } from '../../src/util/log.js';
import { FakeClock } from './fake-clock.js';
import { type Receiver, startReceiver } from './remote-write-receiver.js';
import { until } from './until.js';

export type Settings = Partial<Omit<RemoteWriteOptions, 'queue'>> & { queue?: Partial<QueueOptions> };

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export interface Forwarding {
  readonly receiver: Receiver;
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly reader: BatchReader;
  readonly forwarder: Forwarder;
  readonly delivered: Batch[];
  readonly lines: LoggedLine[];
  readonly registry: MetricsRegistry;
  /** The value of a metric without the part's prefix; 0 when absent. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

/** One remote write between a log in memory and a receiver, by a clock that the test moves. */
export async function startForwarding(t: Test, settings: Settings = {}, maxBytes = 1e8): Promise<Forwarding> {
  const receiver = await startReceiver();
  t.teardown(() => receiver.close());
  const clock = new FakeClock();
  const delivered: Batch[] = [];
  const log = new MemoryLog({ maxBytes, onDelivered: (batch) => delivered.push(batch) });
  const reader = log.reader('test');
  const lines: LoggedLine[] = [];
  const registry = createRegistry();
  const forwarder = createForwarder({
    options: optionsOf({ url: receiver.url, ...settings }),
    reader,
    clock,
    log: logTo(lines),
    metrics: new RemoteWriteMetrics(registry),
    userAgent: 'exemplard/0.0.0-test',
  });
  forwarder.start();
  t.teardown(async () => {
    const stopped = forwarder.stop(0);
    await clock.advance(1);
    await stopped;
  });
  const metric = metricReader(registry);
  return { receiver, clock, log, reader, forwarder, delivered, lines, registry, metric };
}

/** Moves the clock while waiting, as time goes by. */
export async function passing(clock: FakeClock, stepMs: number, condition: () => boolean, what: string) {
  await until(async () => {
    if (condition()) return true;
    await clock.advance(stepMs);
    return condition();
  }, what);
}

export function optionsOf({ queue, ...settings }: Settings & { readonly url: string }): RemoteWriteOptions {
  const common = { ...DEFAULT_REMOTE_WRITE, name: 'test', externalLabels: [] };
  return { ...common, ...settings, queue: { ...DEFAULT_QUEUE, ...queue } };
}

export function logTo(lines: LoggedLine[]): Log {
  const note = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: fields as Record<string, unknown> });
  };
  return { debug() {}, info: note('info'), warn: note('warn'), error: note('error') };
}

/** Sums the values of a metric, named without the part's prefix, that have these labels; 0 when there are none. */
export function metricReader(registry: MetricsRegistry): Forwarding['metric'] {
  return async (name, labels = {}) => {
    const found = await registry.getSingleMetric(`exemplard_remote_write_${name}`)?.get();
    const matching = found?.values.filter((value) =>
      Object.entries(labels).every(
        ([label, text]) => (value.labels as Record<string, unknown>)[label] === text,
      ),
    );
    return matching?.reduce((sum, value) => sum + Number(value.value), 0) ?? 0;
  };
}

export const exemplarTimes = (receiver: Receiver) =>
  receiver.accepted.flatMap(({ series }) =>
    series.flatMap(({ exemplars }) => exemplars.map((e) => e.timestamp)),
  );
