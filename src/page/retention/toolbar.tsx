import { useEffect, useState } from 'preact/hooks';
import { formatDuration, parseDuration } from '../format/time.js';
import { GROUPINGS, type RetentionState } from './retention-state.js';

export interface RetentionToolbarProps {
  readonly state: RetentionState;
  readonly targetSeconds: number;
  readonly onChange: (changes: Partial<RetentionState>) => void;
}

export function RetentionToolbar({ state, targetSeconds, onChange }: RetentionToolbarProps) {
  const others = (GROUPINGS as readonly string[]).includes(state.by) ? [] : [state.by];
  return (
    <div class="tools">
      <label class="field">
        <span class="label">Group by</span>
        <select value={state.by} onChange={(event) => onChange({ by: event.currentTarget.value })}>
          {[...GROUPINGS, ...others].map((by) => (
            <option key={by} value={by}>
              {by.replace('label:', 'label ')}
            </option>
          ))}
        </select>
      </label>
      <TextField
        label="Series"
        text={state.match}
        placeholder='all, or a selector like {job="shop"}'
        size={34}
        isFit={() => true}
        onEnter={(match) => onChange({ match: match.trim() })}
      />
      <TextField
        label="Target"
        text={formatDuration(targetSeconds)}
        placeholder="24h"
        size={8}
        isFit={(text) => text.trim() === '' || parseDuration(text) !== undefined}
        onEnter={(text) => onChange({ targetSeconds: parseDuration(text) })}
      />
      {state.match !== '' && (
        <button type="button" onClick={() => onChange({ match: '', by: 'job' })}>
          All jobs
        </button>
      )}
    </div>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly text: string;
  readonly placeholder: string;
  readonly size: number;
  readonly isFit: (text: string) => boolean;
  readonly onEnter: (text: string) => void;
}

/** Taken over when the field is left, or Enter pressed. */
function TextField({ label, text, placeholder, size, isFit, onEnter }: TextFieldProps) {
  const [written, setWritten] = useState(text);
  useEffect(() => setWritten(text), [text]);
  const takeOver = () => {
    if (written !== text && isFit(written)) onEnter(written);
  };
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input
        type="text"
        value={written}
        placeholder={placeholder}
        size={size}
        spellcheck={false}
        aria-invalid={!isFit(written)}
        onInput={(event) => setWritten(event.currentTarget.value)}
        onBlur={takeOver}
        onKeyDown={(event) => event.key === 'Enter' && takeOver()}
      />
    </label>
  );
}
