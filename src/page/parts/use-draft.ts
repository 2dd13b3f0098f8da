import { useLayoutEffect, useState } from 'preact/hooks';

export interface DraftOptions {
  /** What the field says while nobody writes; it also changes by itself, with a reload of the configuration. */
  readonly known: string;
  /** Why a text cannot be taken over. */
  readonly problemOf: (text: string) => string | undefined;
  readonly onTake: (text: string) => void;
}

/** A text that somebody may be writing. */
export interface Draft {
  readonly text: string;
  readonly problem: string | undefined;
  readonly write: (text: string) => void;
  /** Whoever wrote is done. What cannot be taken over stays to be corrected, until something else is known. */
  readonly takeOver: () => void;
}

export function useDraft({ known, problemOf, onTake }: DraftOptions): Draft {
  const [draft, setDraft] = useState<{ text: string; isLeft: boolean } | undefined>();
  // For good: it does not come back when the same is known again.
  useLayoutEffect(() => setDraft((before) => (before?.isLeft ? undefined : before)), [known]);
  const text = draft?.text ?? known;
  const problem = problemOf(text);
  return {
    text,
    problem,
    write: (written) => setDraft({ text: written, isLeft: false }),
    takeOver() {
      if (draft === undefined) return;
      if (problem !== undefined) return setDraft({ text, isLeft: true });
      setDraft(undefined);
      if (text !== known) onTake(text);
    },
  };
}
