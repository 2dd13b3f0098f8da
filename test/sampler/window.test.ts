import t from 'tap';
import {
  COPIED,
  DecidedTimes,
  dueMs,
  lastStage,
  PICKED,
  settledWindows,
  stageAfterLook,
  UNTOUCHED,
} from '../../src/sampler/window.js';
import { jobOptions, tracesJob } from '../support/sampling.js';

const MINUTE = 60_000;
const T0 = 1_800_000_000_000;

t.test('windows are due when they are closed, settled and archived', async (t) => {
  const starts = (nowMs: number, catchUpMs = 0, archivedUntilMs = Number.POSITIVE_INFINITY) =>
    settledWindows(jobOptions({ catchUpMs }), nowMs, archivedUntilMs).map(
      ({ startMs }) => (startMs - T0) / MINUTE,
    );
  t.equal(T0 % (5 * MINUTE), 0);
  t.same(starts(T0 + 5 * MINUTE), [-5], 'not settled');
  t.same(starts(T0 + 6 * MINUTE), [0]);
  t.same(starts(T0 + 6 * MINUTE, 0, T0 + 5 * MINUTE - 1), [-5], 'the archive lags');
  t.same(starts(T0 + 6 * MINUTE, 0, T0 + 5 * MINUTE), [0]);
  t.same(starts(T0 + 6 * MINUTE, 20 * MINUTE), [0, -5, -10]);
  t.same(starts(T0 + 6 * MINUTE, 21 * MINUTE), [0, -5, -10, -15]);
});

t.test('stages', async (t) => {
  const window = { startMs: T0, lengthMs: 5 * MINUTE };
  const options = tracesJob();
  const due = [UNTOUCHED, PICKED, COPIED, 3, 4, 5].map((stage) => {
    const at = dueMs(window, stage, options);
    return at === undefined ? undefined : (at - T0) / MINUTE;
  });
  t.same(due, [6, 6, 11, 21, 36, undefined]);
  const after = (minutes: number) => stageAfterLook(window, options, T0 + minutes * MINUTE);
  t.same(
    [6, 10, 11, 21, 35, 36, 9999].map(after),
    [2, 2, 3, 4, 4, 5, 5],
    'one look stands for all that were due',
  );
  t.equal(lastStage(jobOptions()), PICKED);
  t.equal(lastStage(tracesJob({ lateWindowMs: 0 })), COPIED);
});

t.test('nothing is decided twice when the length of windows changes', async (t) => {
  const decided = new DecidedTimes([
    { startMs: 300, lengthMs: 300 },
    { startMs: 600, lengthMs: 300 },
  ]);
  const overlaps = (startMs: number, lengthMs: number) => decided.overlaps({ startMs, lengthMs });
  t.same(
    [overlaps(240, 60), overlaps(300, 60), overlaps(0, 600), overlaps(899, 60), overlaps(900, 60)],
    [false, true, true, true, false],
  );
});
