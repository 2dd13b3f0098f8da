/** How many shards the traffic asks for: Prometheus' formula (storage/remote/queue_manager.go, calculateDesiredShards). */

export const RESHARD_INTERVAL_MS = 10_000;

/** A change smaller than this share of the shards is not worth the pause. */
const TOLERANCE = 0.3;
/** Share of the backlog to be worked off per second. */
const BACKLOG_CATCHUP = 0.05;
/** Further behind than this, shards are not taken away. */
const MAX_DELAY_TO_SHRINK_SECONDS = 10;
const EWMA_WEIGHT = 0.2;

export interface Traffic {
  /** Exemplars a second. */
  readonly inRate: number;
  readonly outRate: number;
  readonly droppedRate: number;
  /** Seconds all shards together spend sending, per second. */
  readonly sendSecondsRate: number;
  /**
   * Exemplars that wait. Prometheus estimates this from timestamps; we know it, and times of exemplars say
   * little, because a target may show an old one for hours.
   */
  readonly backlog: number;
}

export function desiredShards(traffic: Traffic, current: number, min: number, max: number): number {
  const { inRate, outRate, droppedRate, sendSecondsRate, backlog } = traffic;
  if (outRate <= 0) return current;
  const keptRate = inRate * (outRate / (droppedRate + outRate));
  const secondsPerExemplar = sendSecondsRate / outRate;
  const exact = secondsPerExemplar * (keptRate + BACKLOG_CATCHUP * backlog);
  const desired = Math.ceil(exact);
  if (desired >= current * (1 - TOLERANCE) && desired <= current * (1 + TOLERANCE)) return current;
  const delaySeconds = keptRate > 0 ? backlog / keptRate : 0;
  if (desired < current && delaySeconds > MAX_DELAY_TO_SHRINK_SECONDS) return current;
  return Math.min(max, Math.max(min, desired));
}

/** Measures the traffic of one remote write, in steps of `RESHARD_INTERVAL_MS`. */
export class TrafficMeter {
  readonly #in = new Rate();
  readonly #out = new Rate();
  readonly #dropped = new Rate();
  readonly #sendSeconds = new Rate();

  received(exemplars: number): void {
    this.#in.add(exemplars);
  }

  dropped(exemplars: number): void {
    this.#dropped.add(exemplars);
  }

  sent(exemplars: number, durationMs: number): void {
    this.#out.add(exemplars);
    this.#sendSeconds.add(durationMs / 1000);
  }

  /** Ends a step. */
  tick(backlog: number): Traffic {
    return {
      inRate: this.#in.tick(),
      outRate: this.#out.tick(),
      droppedRate: this.#dropped.tick(),
      sendSecondsRate: this.#sendSeconds.tick(),
      backlog,
    };
  }
}

/** Events a second, averaged over steps with exponentially falling weight; the first step with events counts whole. */
class Rate {
  #events = 0;
  #perSecond: number | undefined;

  add(events: number): void {
    this.#events += events;
  }

  tick(): number {
    const current = this.#events / (RESHARD_INTERVAL_MS / 1000);
    this.#events = 0;
    if (this.#perSecond !== undefined) this.#perSecond += EWMA_WEIGHT * (current - this.#perSecond);
    else if (current > 0) this.#perSecond = current;
    return this.#perSecond ?? 0;
  }
}
