/**
 * Which of the two remote write messages a receiver gets. There is no negotiation in the protocol: the user picks,
 * and where the user did not, 1.0 is tried, and the other once a receiver shows that it does not know this one.
 */
import type { Clock } from '../util/clock.js';
import type { Log } from '../util/log.js';
import type { Encoder } from './encode.js';
import { WriteRequestEncoder } from './encode-v1.js';
import { RequestV2Encoder } from './encode-v2.js';
import { PROTOBUF_MESSAGES, type ProtobufMessage } from './options.js';

/**
 * How long a message that was refused is not tried again. A receiver that refuses both is asked for each only so
 * often, and one that was repaired is found.
 */
export const REFUSED_MS = 5 * 60_000;

export interface NegotiationParts {
  readonly wanted: ProtobufMessage | 'auto';
  readonly clock: Clock;
  readonly log: Log;
  /** Of the remote write, for its line of log. */
  readonly fields: () => object;
  readonly switched: () => void;
}

export class Negotiation {
  readonly #parts: NegotiationParts;
  readonly #refusedMs = new Map<ProtobufMessage, number>();
  // Each is made when first needed, and then kept for what it caches.
  readonly #encoders = new Map<ProtobufMessage, Encoder>();
  #message: ProtobufMessage;

  constructor(parts: NegotiationParts) {
    this.#parts = parts;
    this.#message = parts.wanted === 'auto' ? 'prometheus.WriteRequest' : parts.wanted;
  }

  get encoder(): Encoder {
    const known = this.#encoders.get(this.#message);
    if (known !== undefined) return known;
    const encoder =
      this.#message === 'prometheus.WriteRequest' ? new WriteRequestEncoder() : new RequestV2Encoder();
    this.#encoders.set(this.#message, encoder);
    return encoder;
  }

  /**
   * A receiver does not know `message`.
   * @returns whether there is another to send instead, which `encoder` then is
   */
  refused(message: ProtobufMessage): boolean {
    const { wanted, clock, log, fields, switched } = this.#parts;
    if (wanted !== 'auto') return false;
    // Another shard may have found out first.
    if (message !== this.#message) return true;
    this.#refusedMs.set(message, clock.monotonicMs());
    const other = PROTOBUF_MESSAGES.find((one) => one !== message)!;
    const otherRefusedMs = this.#refusedMs.get(other) ?? Number.NEGATIVE_INFINITY;
    if (clock.monotonicMs() - otherRefusedMs < REFUSED_MS) return false;
    this.#message = other;
    switched();
    log.warn(
      { ...fields(), refused: message, protobuf_message: other },
      'receiver does not know this message of remote write, the other is sent from now on',
    );
    return true;
  }
}
