import { DURATION_EXPECTED, formatDuration, parseDuration } from '../format/time.js';
import { TextField } from '../parts/text-field.js';
import { useDraft } from '../parts/use-draft.js';
import { GROUPINGS, type RetentionState } from './retention-state.js';

export interface RetentionToolbarProps {
  readonly state: RetentionState;
  readonly targetSeconds: number;
  readonly onChange: (changes: Partial<RetentionState>) => void;
}

export function RetentionToolbar({ state, targetSeconds, onChange }: RetentionToolbarProps) {
  const others = (GROUPINGS as readonly string[]).includes(state.by) ? [] : [state.by];
  const series = useDraft({
    known: state.match,
    problemOf: () => undefined,
    onTake: (match) => onChange({ match: match.trim() }),
  });
  const target = useDraft({
    known: formatDuration(targetSeconds),
    problemOf: (text) =>
      text.trim() === '' || parseDuration(text) !== undefined ? undefined : DURATION_EXPECTED,
    onTake: (text) => onChange({ targetSeconds: parseDuration(text) }),
  });
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
      <TextField label="Series" draft={series} size={34} placeholder='all, or a selector like {job="shop"}' />
      <TextField label="Target" draft={target} size={8} placeholder="24h" />
      {state.match !== '' && (
        <button type="button" onClick={() => onChange({ match: '', by: 'job' })}>
          All jobs
        </button>
      )}
    </div>
  );
}
