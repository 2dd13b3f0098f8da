/** Whether a sink does its work, judged by its figures; and if not, what to do. */
import { counted } from '../format/number.js';
import { roughDuration } from '../format/time.js';
import type { Sink } from './answer.js';
import type { SinkKind } from './losses.js';

export interface SinkHealth {
  readonly isWell: boolean;
  readonly text: string;
  /** Undefined where there is nothing to do. */
  readonly next?: string;
}

/** What waits longer than this does not just wait for its block or request to fill. */
const PATIENCE_SECONDS = 60;
/** The window that was just closed, and the one being looked at. */
const USUAL_WINDOWS = 2;

const WELL: SinkHealth = { isWell: true, text: 'working' };

type Figures = Sink['figures'];

const JUDGES: Readonly<Record<SinkKind, (figures: Figures, nowSeconds: number) => SinkHealth>> = {
  journal: ({ writable }) =>
    writable === 0
      ? {
          isWell: false,
          text: 'not writing',
          next: 'Make room on the disk, and look at its permissions: the log says what the disk answered. Until then exemplars wait in memory.',
        }
      : WELL,

  remote_write(figures, nowSeconds) {
    const { exemplars_pending: pending = 0, exemplars_retried_total: retried = 0 } = figures;
    const { highest_sent_timestamp_seconds: sent = 0, max_samples_per_send: request = 0 } = figures;
    // Less than a request's worth waits for company, and where nothing comes nothing is sent.
    const isStuck = pending > 0 && (retried > 0 || pending > request);
    const behind = nowSeconds - sent;
    if (!isStuck || behind <= PATIENCE_SECONDS) return WELL;
    return {
      isWell: false,
      text: sent === 0 ? 'nothing sent yet' : `behind by ${roughDuration(Math.round(behind))}`,
      next: 'The log says what the receiver answered. Check the URL, that it can be reached from here, and that it takes remote write.',
    };
  },

  archive({ up, lag_seconds: lag = 0, pending_rows: pending = 0 }) {
    if (up === 0)
      return {
        isWell: false,
        text: 'not writing',
        next: 'The log says what the database answered. What is not written waits in the journal.',
      };
    if (pending === 0 || lag <= PATIENCE_SECONDS) return WELL;
    return {
      isWell: false,
      text: `behind by ${roughDuration(Math.round(lag))}`,
      next: 'Blocks do not get in, or too slowly: the log names the error. Give the database more memory or a faster disk.',
    };
  },

  sampler({ pending_windows: windows = 0, lag_seconds: lag = 0 }) {
    if (windows <= USUAL_WINDOWS) return WELL;
    return {
      isWell: false,
      text: `behind by ${counted(windows, 'window')}, ${roughDuration(Math.round(lag))}`,
      next: 'The log names what failed. Check that the traces can be reached; if they can, they answer too slowly: sample longer windows or fewer series.',
    };
  },
};

export function healthOf(kind: SinkKind, { figures }: Sink, nowSeconds: number): SinkHealth {
  return JUDGES[kind](figures, nowSeconds);
}
