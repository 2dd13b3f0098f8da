/** `status/sinks`: where exemplars go from here, how far behind it is, and what was lost on the way. */
import type { FastifyInstance } from 'fastify';
import type { MetricsRegistry } from '../telemetry/registry.js';
import { sendData } from './answer.js';

export interface SinkRouteParts {
  readonly registry: MetricsRegistry;
  /** What does not work although the process is ready, as a sentence. */
  readonly impairment: () => string | undefined;
}

/** A sink's own metrics, without what they have in common: `exemplard_journal_bytes` is `bytes`. */
interface Sink {
  /** Which of several it is, such as `{"job":"…"}`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly figures: Record<string, number>;
  /** Figures that are told apart by one more label: by the value of that. */
  readonly parts: Record<string, Record<string, number>>;
}

/** Kinds of sinks as their metrics call them, and the labels by which there are several. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  journal: [],
  remote_write: ['remote_name', 'url'],
  archive: [],
  sampler: ['job'],
};

/** The figures are those of `/metrics`: there is one truth of them. */
export function sinkRoutes(api: FastifyInstance, { registry, impairment }: SinkRouteParts): void {
  api.get('/status/sinks', async (_request, reply) => {
    const families = await registry.getMetricsAsJSON();
    const kinds = Object.entries(KINDS).map(([kind, identity]) => [
      kind,
      sinksOf(families, `exemplard_${kind}_`, identity),
    ]);
    return sendData(reply, { impairment: impairment() ?? null, ...Object.fromEntries(kinds) });
  });
}

type Families = Awaited<ReturnType<MetricsRegistry['getMetricsAsJSON']>>;

function sinksOf(families: Families, prefix: string, identity: readonly string[]): Sink[] {
  const sinks = new Map<string, Sink>();
  for (const { name, type, values } of families as readonly Family[]) {
    if (!name.startsWith(prefix) || type === 'histogram') continue;
    const figure = figureName(name.slice(prefix.length), type);
    // JSON has no word for a time that never was.
    for (const { value, labels } of values.filter(({ value }) => Number.isFinite(value))) {
      const own = Object.fromEntries(identity.map((label) => [label, String(labels[label] ?? '')]));
      const key = JSON.stringify(own);
      const sink = sinks.get(key) ?? { labels: own, figures: {}, parts: {} };
      sinks.set(key, sink);
      const other = Object.keys(labels).find((label) => !identity.includes(label));
      if (other === undefined) sink.figures[figure] = value;
      else {
        sink.parts[figure] ??= {};
        sink.parts[figure][String(labels[other])] = value;
      }
    }
  }
  return [...sinks.values()];
}

/** prom-client takes `_total` off a counter when it first renders OpenMetrics, and leaves it off. */
function figureName(name: string, type: unknown): string {
  return type === 'counter' ? `${name.replace(/_total$/, '')}_total` : name;
}

interface Family {
  readonly name: string;
  /** A word, whatever prom-client's types say. */
  readonly type: unknown;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
  }[];
}
