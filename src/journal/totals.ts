/** Figures of a journal since it was opened. */
export interface JournalTotals {
  appendedBatches: number;
  appendedRows: number;
  writtenBytes: number;
  writeErrors: number;
  fsyncs: number;
  fsyncErrors: number;
  fsyncSeconds: number;
  damagedSegments: number;
  droppedSegments: number;
  /** Rows that waited for readers which are not wanted any more. */
  abandonedRows: number;
  /** Rows that were in memory alone when it became too small for them. */
  neverWrittenRows: number;
}

export function zeroTotals(): JournalTotals {
  return {
    appendedBatches: 0,
    appendedRows: 0,
    writtenBytes: 0,
    writeErrors: 0,
    fsyncs: 0,
    fsyncErrors: 0,
    fsyncSeconds: 0,
    damagedSegments: 0,
    droppedSegments: 0,
    abandonedRows: 0,
    neverWrittenRows: 0,
  };
}
