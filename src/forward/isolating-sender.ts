/**
 * Sends requests so that a few bad series cost the others nothing.
 *
 * One sample that is out of order makes Prometheus' 1.0 receiver answer 400 and roll back the whole request, and
 * the answer does not say which. So a refused request that carries samples is cut in halves, level by level:
 *
 *     [a b c d e f g H]  400
 *     [a b c d] 2xx  [e f g H] 400
 *                    [e f] 2xx  [g H] 400
 *                               [g] 2xx  [H] 400 ── refused
 *
 * Level by level rather than depth first, because when the bound on extra requests is met, what is left over are
 * the smallest groups. What stays refused: in mode `auto` all of it goes once more, as exemplars alone, and those
 * series stay without samples for `ATTACH_MS`; in mode `self_contained` it is dropped. Exemplars alone are never
 * cut: every receiver known to answer 400 to some stores the rest.
 */
import type { Clock } from '../util/clock.js';
import type { Row } from './delivery.js';
import type { FailureLog } from './failure-log.js';
import type { RemoteWriteMeter } from './metrics.js';
import type { ExemplarMode } from './options.js';
import type { TrafficMeter } from './resharding.js';
import type { Fate } from './sender.js';
import { ATTACH_MS } from './series-state.js';
import { countExemplars, countSamples, type TimeSeries, withoutSamples } from './time-series.js';

/**
 * Enough to find one bad series of 1,000 (10 levels, 20 requests), or three (60); if all are bad, groups of a
 * thirty-second part remain.
 */
export const MAX_EXTRA_REQUESTS = 64;

export interface IsolatingSenderParts {
  readonly mode: ExemplarMode;
  readonly clock: Clock;
  readonly meter: RemoteWriteMeter;
  readonly traffic: TrafficMeter;
  readonly failures: FailureLog;
  readonly send: (all: readonly TimeSeries[], stop: AbortSignal) => Promise<Fate>;
  readonly settle: (row: Row) => void;
}

interface Refusal {
  readonly timeSeries: readonly TimeSeries[];
  readonly refused: string;
  readonly status: number;
}

export class IsolatingSender {
  readonly #parts: IsolatingSenderParts;

  constructor(parts: IsolatingSenderParts) {
    this.#parts = parts;
  }

  /** Settles every row, unless stopped before. Never rejects. */
  async send(all: readonly TimeSeries[], stop: AbortSignal): Promise<void> {
    const refusals: Refusal[] = [];
    const parts = [all];
    let extraRequests = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const fate = await this.#parts.send(part, stop);
      if (fate === 'aborted') return;
      if (fate === 'delivered' || fate === 'dropped') {
        this.#settle(part);
      } else if (part.length > 1 && countSamples(part) > 0 && extraRequests < MAX_EXTRA_REQUESTS) {
        parts.push(...halves(part));
        extraRequests += 2;
      } else {
        refusals.push({ timeSeries: part, ...fate });
      }
    }
    if (this.#parts.mode === 'auto') await this.#sendAlone(refusals, stop);
    else for (const refusal of refusals) this.#drop(refusal);
  }

  /** Sends what was refused with samples once more without. */
  async #sendAlone(refusals: readonly Refusal[], stop: AbortSignal): Promise<void> {
    const isOurSamplesFault = ({ timeSeries }: Refusal) => countSamples(timeSeries) > 0;
    for (const refusal of refusals) if (!isOurSamplesFault(refusal)) this.#drop(refusal);
    const alone = refusals.filter(isOurSamplesFault).flatMap(({ timeSeries }) => timeSeries);
    if (alone.length === 0) return;

    this.#parts.meter.samplesRefused(countSamples(alone));
    const attachUntilMs = this.#parts.clock.nowMs() + ATTACH_MS;
    for (const { state, samples } of alone) if (samples.length > 0) state.attachUntilMs = attachUntilMs;
    const timeSeries = alone.map(withoutSamples);
    const fate = await this.#parts.send(timeSeries, stop);
    if (fate === 'aborted') return;
    if (fate === 'delivered' || fate === 'dropped') this.#settle(timeSeries);
    else this.#drop({ timeSeries, ...fate });
  }

  #drop({ timeSeries, refused, status }: Refusal): void {
    const exemplars = countExemplars(timeSeries);
    this.#parts.meter.dropped('refused', exemplars);
    this.#parts.traffic.dropped(exemplars);
    this.#parts.failures.gaveUp(exemplars, refused, status);
    this.#settle(timeSeries);
  }

  #settle(all: readonly TimeSeries[]): void {
    for (const { rows } of all) for (const row of rows) this.#parts.settle(row);
  }
}

function halves<T>(all: readonly T[]): [readonly T[], readonly T[]] {
  const middle = Math.ceil(all.length / 2);
  return [all.slice(0, middle), all.slice(middle)];
}
