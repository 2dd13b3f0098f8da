import { TextField } from '../parts/text-field.js';
import { useDraft } from '../parts/use-draft.js';
import { finiteNumber } from './explore-state.js';

export interface ValueBoundProps {
  readonly label: string;
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}

export function ValueBound({ label, value, onChange }: ValueBoundProps) {
  const draft = useDraft({
    known: value === undefined ? '' : String(Number(value.toPrecision(6))),
    problemOf: (text) =>
      text.trim() === '' || finiteNumber(text) !== undefined ? undefined : 'a number, like 0.25',
    onTake: (text) => onChange(finiteNumber(text)),
  });
  return <TextField label={label} draft={draft} size={7} placeholder="any" inputMode="decimal" />;
}
