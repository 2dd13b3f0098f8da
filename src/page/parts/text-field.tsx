import { useId } from 'preact/hooks';
import type { Draft } from './use-draft.js';

export interface TextFieldProps {
  readonly label: string;
  readonly draft: Draft;
  readonly size: number;
  readonly placeholder?: string;
  readonly inputMode?: 'numeric' | 'decimal';
}

/** One line, taken over when the field is left or Enter pressed; beside it, what is wrong with it. */
export function TextField({ label, draft, ...input }: TextFieldProps) {
  const problemId = useId();
  const { text, problem, write, takeOver } = draft;
  return (
    <>
      <label class="field">
        <span class="label">{label}</span>
        <input
          type="text"
          value={text}
          spellcheck={false}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : problemId}
          onInput={(event) => write(event.currentTarget.value)}
          onBlur={takeOver}
          onKeyDown={(event) => event.key === 'Enter' && takeOver()}
          {...input}
        />
      </label>
      {problem !== undefined && (
        <span id={problemId} class="problem">
          {problem}
        </span>
      )}
    </>
  );
}
