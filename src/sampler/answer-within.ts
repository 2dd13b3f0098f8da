/** Whoever asks over HTTP does not wait as long as a run does. */
import { DatabaseError } from '../clickhouse/database.js';
import type { Clock } from '../util/clock.js';

/** @throws {DatabaseError} where there is no answer in time; the signal ends what was asked */
export async function answerWithin<Answer>(
  clock: Clock,
  timeoutMs: number,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const late = new DatabaseError(`the archive has not answered within ${timeoutMs / 1000} s`, {
    isTransient: true,
  });
  const abort = new AbortController();
  let cancel = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () => {
      reject(late);
      abort.abort(late);
    });
  });
  try {
    return await Promise.race([ask(abort.signal), timeout]);
  } finally {
    cancel();
  }
}
