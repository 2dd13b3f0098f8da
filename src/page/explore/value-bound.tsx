import { useEffect, useState } from 'preact/hooks';
import { finiteNumber } from './explore-state.js';

export interface ValueBoundProps {
  readonly label: string;
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}

/** A bound of values, taken over when the field is left or Enter pressed. */
export function ValueBound({ label, value, onChange }: ValueBoundProps) {
  const written = value === undefined ? '' : String(Number(value.toPrecision(6)));
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const isWrong = text.trim() !== '' && finiteNumber(text) === undefined;
  const takeOver = () => {
    if (!isWrong && text !== written) onChange(finiteNumber(text));
  };
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input
        type="text"
        inputMode="decimal"
        size={7}
        value={text}
        placeholder="any"
        aria-invalid={isWrong}
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={takeOver}
        onKeyDown={(event) => event.key === 'Enter' && takeOver()}
      />
    </label>
  );
}
