/** Rows → the body of a remote write request: what both protocols have in common. */
import type { Protocol } from './endpoint.js';
import type { ProtobufMessage } from './options.js';
import type { TimeSeries } from './time-series.js';

/** One remote write protocol. */
export interface Encoder {
  readonly message: ProtobufMessage;
  readonly protocol: Protocol;
  /**
   * Whether a TimeSeries may have exemplars and no sample. 2.0 wants a sample, and yet has receivers that do without:
   * so they are sent there only if there is no other way.
   */
  readonly allowsExemplarsAlone: boolean;
  /** The compressed body; valid for as long as the caller likes. */
  encode(all: readonly TimeSeries[]): Buffer;
}

/**
 * The value that says "this series has ended". It is one of many NaNs, and the only one that means it, so it is
 * written by its bits (Prometheus, model/value: StaleNaN).
 */
export const STALE_NAN_HIGH = 0x7ff00000;
export const STALE_NAN_LOW = 0x00000002;
