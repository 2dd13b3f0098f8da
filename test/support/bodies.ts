/** OpenMetrics bodies of a size and a habit to order. */

export interface BodyShape {
  readonly series: number;
  /** Of the series, the share that carries an exemplar. */
  readonly exemplarShare: number;
  /** Distinguishes targets. */
  readonly target: string;
}

/**
 * A target whose body changes from scrape to scrape as a real one's does: every sample grows, and a share of the
 * exemplars is replaced. Deterministic.
 */
export class ChangingBody {
  readonly #names: string[] = [];
  readonly #counts: number[] = [];
  readonly #exemplars: (string | undefined)[] = [];
  #state = 0x2545f491;

  constructor(shape: BodyShape) {
    const bucketsPerSeries = 10;
    for (let i = 0; i < shape.series; i++) {
      const route = Math.floor(i / bucketsPerSeries);
      const le = i % bucketsPerSeries === 9 ? '+Inf' : `${0.005 * 2 ** (i % bucketsPerSeries)}`;
      this.#names.push(
        `http_request_duration_seconds_bucket{route="/${shape.target}/r${route}",status="200",le="${le}"}`,
      );
      this.#counts.push(this.#random() % 1000);
      const hasExemplar = (i * 7) % 100 < shape.exemplarShare * 100;
      this.#exemplars.push(hasExemplar ? '' : undefined);
    }
  }

  /**
   * @param newShare of the exemplars that are new; all are the first time
   * @param once an exemplar is shown in one body alone, not until it is replaced
   * @param busyEvery only every so many-th series has new ones after the first time
   */
  next(newShare: number, nowMs: number, busyEvery = 1, once = false): Buffer {
    const lines = [
      '# HELP http_request_duration_seconds Time.',
      '# TYPE http_request_duration_seconds histogram',
    ];
    this.#names.forEach((name, i) => {
      this.#counts[i]! += this.#random() % 3;
      let exemplar = this.#exemplars[i];
      let isNew = false;
      if (
        exemplar === '' ||
        (exemplar !== undefined && i % busyEvery === 0 && (this.#random() % 10_000) / 10_000 < newShare)
      ) {
        const seconds = ((nowMs - (this.#random() % 900)) / 1000).toFixed(3);
        exemplar = ` # {trace_id="${this.#hex(4)}",span_id="${this.#hex(2)}"} 0.0${this.#random() % 1000} ${seconds}`;
        this.#exemplars[i] = exemplar;
        isNew = true;
      }
      const isShown = exemplar !== undefined && (isNew || !once);
      lines.push(`${name} ${this.#counts[i]}${isShown ? exemplar : ''}`);
    });
    return Buffer.from(`${lines.join('\n')}\n# EOF\n`);
  }

  #hex(words: number): string {
    return Array.from({ length: words }, () => this.#random().toString(16).padStart(8, '0')).join('');
  }

  /** xorshift32 */
  #random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }
}
