/** The keys of `journal`. */
import { DEFAULT_JOURNAL, type JournalOptions } from '../journal/options.js';
import { type Section, withDefault } from './table.js';
import { bytes, positiveDuration } from './value-type.js';

export const JOURNAL_KEYS = {
  fsync_interval: withDefault(
    positiveDuration,
    DEFAULT_JOURNAL.fsyncIntervalMs,
    'How often the disk is told to write what it holds back: what a power failure may cost. A killed process loses nothing.',
  ),
  max_bytes: withDefault(
    bytes(1024 * 1024),
    DEFAULT_JOURNAL.maxBytes,
    'Of all segments together. The oldest go first, and what was not yet forwarded is counted as lost.',
  ),
};

export function resolveJournal({ values }: Section<typeof JOURNAL_KEYS>): JournalOptions {
  return { fsyncIntervalMs: values.fsync_interval, maxBytes: values.max_bytes };
}
