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
 * the smallest groups. What stays refused: in mode `auto` all of it goes once more, as exemplars alone, and if they
 * arrive, those series stay without samples for `ATTACH_MS`; in mode `self_contained` it is dropped. Exemplars alone
 * are never cut: every receiver known to answer 400 to some stores the rest.
 *
 * In 2.0 what is good in a request is written all the same, and the answer says how much: a refusal arrives here only
 * where nothing was written. Prometheus from 3.8 on refuses exemplars alone over 2.0; they are dropped, and the next
 * ones of their series go with samples again.
 */
import type { Clock } from '../util/clock.js';
import type { Row } from './delivery.js';
import type { FailureLog } from './failure-log.js';
import type { RemoteWriteMeter } from './meter.js';
import type { ExemplarMode } from './options.js';
import type { TrafficMeter } from './resharding.js';
import type { Fate, Refusal, StopSignals } from './sender.js';
import { ATTACH_MS } from './series-state.js';
import { countExemplars, countSamples, detachAlone, type TimeSeries, withoutSamples } from './time-series.js';

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
  /** Whether the protocol has exemplars without samples: see `Encoder`. */
  readonly allowsExemplarsAlone: () => boolean;
  readonly send: (all: readonly TimeSeries[], stop: StopSignals) => Promise<Fate>;
  readonly settle: (row: Row) => void;
}

interface RefusedPart extends Refusal {
  readonly timeSeries: readonly TimeSeries[];
}

export class IsolatingSender {
  readonly #parts: IsolatingSenderParts;

  constructor(parts: IsolatingSenderParts) {
    this.#parts = parts;
  }

  /**
   * Settles every row, unless stopped before. Never rejects.
   * @returns false when stopped with rows unsettled
   */
  async send(all: readonly TimeSeries[], stop: StopSignals): Promise<boolean> {
    const refusals: RefusedPart[] = [];
    const parts = [all];
    let extraRequests = 0;
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const fate = await this.#parts.send(part, stop);
      if (fate === 'aborted') return false;
      if (fate === 'delivered' || fate === 'dropped') {
        this.#settle(part);
      } else if (isWorthCutting(part, fate) && extraRequests < MAX_EXTRA_REQUESTS) {
        parts.push(...halves(part));
        extraRequests += 2;
      } else {
        refusals.push({ timeSeries: part, ...fate });
      }
    }
    if (this.#parts.mode === 'auto') return this.#sendAlone(refusals, stop);
    for (const refusal of refusals) this.#drop(refusal);
    return true;
  }

  /** Sends what was refused with samples once more without. */
  async #sendAlone(refusals: readonly RefusedPart[], stop: StopSignals): Promise<boolean> {
    const isOurSamplesFault = ({ timeSeries }: RefusedPart) => countSamples(timeSeries) > 0;
    for (const refusal of refusals) if (!isOurSamplesFault(refusal)) this.#drop(refusal);
    const refused = refusals.filter(isOurSamplesFault).flatMap(({ timeSeries }) => timeSeries);
    if (refused.length === 0) return true;

    this.#parts.meter.samplesRefused(countSamples(refused));
    // Of some there is nothing to send but the samples: ends of series, or a part of a request cut by age.
    const hasExemplars = ({ rows }: TimeSeries) => rows.length > 0;
    const bare = refused.filter((one) => !hasExemplars(one));
    this.#attach(bare);
    this.#settle(bare);
    const alone = refused.filter(hasExemplars);
    if (alone.length === 0) return true;
    const fate = await this.#parts.send(alone.map(withoutSamples), stop);
    if (fate === 'aborted') return false;
    if (fate === 'delivered') this.#attach(alone);
    if (fate === 'delivered' || fate === 'dropped') this.#settle(alone);
    else this.#drop({ timeSeries: alone.map(withoutSamples), ...fate });
    return true;
  }

  #attach(all: readonly TimeSeries[]): void {
    const attachUntilMs = this.#parts.clock.monotonicMs() + ATTACH_MS;
    for (const { state, samples } of all) if (samples.length > 0) state.attachUntilMs = attachUntilMs;
  }

  #drop({ timeSeries, refused, status }: RefusedPart): void {
    const { meter, traffic, failures } = this.#parts;
    const exemplars = countExemplars(timeSeries);
    meter.samplesFailed(countSamples(timeSeries));
    meter.dropped('refused', exemplars);
    traffic.dropped(exemplars);
    failures.gaveUp(exemplars, refused, status);
    if (!this.#parts.allowsExemplarsAlone()) detachAlone(timeSeries);
    this.#settle(timeSeries);
  }

  #settle(all: readonly TimeSeries[]): void {
    for (const { rows, markers } of all) {
      for (const row of rows) this.#parts.settle(row);
      for (const marker of markers) this.#parts.settle(marker);
    }
  }
}

/** Samples may be to blame for one another; of what is too large, all. */
function isWorthCutting(part: readonly TimeSeries[], { status }: Refusal): boolean {
  return part.length > 1 && (countSamples(part) > 0 || status === 413);
}

function halves<T>(all: readonly T[]): [readonly T[], readonly T[]] {
  const middle = Math.ceil(all.length / 2);
  return [all.slice(0, middle), all.slice(middle)];
}
