import type { FastifyInstance } from 'fastify';
import { compareBytewise } from '../model/labels.js';
import type { Metadata } from '../model/metadata.js';
import type { ExemplarStore } from '../store/exemplar-store.js';
import { sendData } from './answer.js';
import { ApiError } from './api-error.js';
import { Parameters } from './parameters.js';

export interface MetadataRouteParts {
  readonly store: ExemplarStore;
}

/** `metadata`, as Prometheus answers it; and what its other lists are where nothing is evaluated and nobody alerted. */
export function metadataRoutes(api: FastifyInstance, { store }: MetadataRouteParts): void {
  api.get('/metadata', (request, reply) => {
    const parameters = new Parameters(request);
    const limit = limitOf(parameters, 'limit');
    const limitPerMetric = limitOf(parameters, 'limit_per_metric');
    const metric = parameters.text('metric');
    const families = [...familiesOf(store.metadata.entries())]
      .filter(([name]) => metric === '' || name === metric)
      .sort(([a], [b]) => compareBytewise(a, b))
      .slice(0, limit)
      .map(([name, metadata]) => [name, [metadata].slice(0, limitPerMetric)] as const);
    return sendData(reply, Object.fromEntries(families));
  });
  api.get('/rules', (request, reply) => {
    const type = new Parameters(request).text('type').toLowerCase();
    if (!['', 'alert', 'record'].includes(type))
      throw new ApiError('bad_data', `invalid parameter "type": not supported value ${JSON.stringify(type)}`);
    return sendData(reply, { groups: [] });
  });
  api.get('/alerts', (_request, reply) => sendData(reply, { alerts: [] }));
  api.get('/alertmanagers', (_request, reply) =>
    sendData(reply, { activeAlertmanagers: [], droppedAlertmanagers: [] }),
  );
}

/** Prometheus' way here: 0 is none at all, less than 0 no limit. @throws {ApiError} */
function limitOf(parameters: Parameters, name: string): number {
  const text = parameters.text(name);
  if (text === '') return Number.POSITIVE_INFINITY;
  if (!/^[+-]?\d+$/.test(text)) throw new ApiError('bad_data', `${name} must be a number`);
  return Number(text) < 0 ? Number.POSITIVE_INFINITY : Number(text);
}

/** Prometheus names the family, as the TYPE line does; the store has the names of series. */
function familiesOf(
  described: Iterable<readonly [metricName: string, metadata: Metadata]>,
): Map<string, Metadata> {
  const families = new Map<string, Metadata>();
  for (const [metricName, { type, help, unit }] of described)
    families.set(familyOf(metricName, type), { type: type || 'unknown', help, unit });
  return families;
}

const SUFFIXES: Readonly<Record<string, RegExp>> = {
  counter: /_total$/,
  gaugehistogram: /_(?:bucket|gcount|gsum)$/,
  histogram: /_(?:bucket|count|sum)$/,
  info: /_info$/,
  summary: /_(?:count|sum)$/,
};

function familyOf(metricName: string, type: string): string {
  const suffix = SUFFIXES[type];
  return suffix === undefined ? metricName : metricName.replace(suffix, '');
}
