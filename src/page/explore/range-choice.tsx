import { useId, useState } from 'preact/hooks';
import { DURATION_EXPECTED, formatDuration, parseDuration } from '../format/time.js';
import { describeRange, rangeBetween, type TimeRange, USUAL_RANGES } from './time-range.js';

export interface RangeChoiceProps {
  readonly range: TimeRange;
  readonly onChange: (range: TimeRange) => void;
}

const CUSTOM = 'custom';
const CURRENT = 'current';

/** Usual ranges, or a form for another. */
export function RangeChoice({ range, onChange }: RangeChoiceProps) {
  const [isCustom, setIsCustom] = useState(false);
  const usual = USUAL_RANGES.find(({ seconds }) => range.kind === 'last' && range.seconds === seconds);
  const choose = (value: string) => {
    setIsCustom(value === CUSTOM);
    if (value !== CUSTOM && value !== CURRENT) onChange({ kind: 'last', seconds: Number(value) });
  };
  return (
    <>
      <label class="field">
        <span class="label">Time</span>
        <select
          value={isCustom ? CUSTOM : usual === undefined ? CURRENT : String(usual.seconds)}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {usual === undefined && <option value={CURRENT}>{capitalised(describeRange(range))}</option>}
          {USUAL_RANGES.map(({ seconds, name }) => (
            <option key={seconds} value={String(seconds)}>
              {name}
            </option>
          ))}
          <option value={CUSTOM}>Custom …</option>
        </select>
      </label>
      {isCustom && (
        <CustomRange
          range={range}
          onClose={() => setIsCustom(false)}
          onChange={(chosen) => {
            setIsCustom(false);
            onChange(chosen);
          }}
        />
      )}
    </>
  );
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function CustomRange({ range, onChange, onClose }: RangeChoiceProps & { onClose: () => void }) {
  const nowMs = Date.now();
  const [last, setLast] = useState(range.kind === 'last' ? formatDuration(range.seconds) : '');
  const [start, setStart] = useState(
    localInput(range.kind === 'between' ? range.startMs : nowMs - range.seconds * 1000),
  );
  const [end, setEnd] = useState(localInput(range.kind === 'between' ? range.endMs : nowMs));
  const problemId = useId();
  const seconds = parseDuration(last);
  const isWrong = last !== '' && seconds === undefined;
  const between = rangeBetween(Date.parse(start), Date.parse(end));
  return (
    <fieldset class="custom-range">
      <legend class="off-screen">Custom time range</legend>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (seconds !== undefined) onChange({ kind: 'last', seconds });
        }}
      >
        <label class="field">
          <span class="label">The last</span>
          <input
            type="text"
            size={7}
            placeholder="90m"
            value={last}
            aria-invalid={isWrong}
            aria-describedby={isWrong ? problemId : undefined}
            onInput={(event) => setLast(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={seconds === undefined}>
          Apply
        </button>
        {isWrong && (
          <span id={problemId} class="problem">
            {DURATION_EXPECTED}
          </span>
        )}
      </form>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (between !== undefined) onChange(between);
        }}
      >
        <Moment title="From" value={start} onInput={setStart} />
        <Moment title="to" value={end} onInput={setEnd} />
        <button type="submit" disabled={between === undefined}>
          Apply
        </button>
        {between === undefined && <span class="hint">The end has to be after the start.</span>}
      </form>
      <button type="button" class="small" onClick={onClose}>
        Cancel
      </button>
    </fieldset>
  );
}

interface MomentProps {
  readonly title: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

function Moment({ title, value, onInput }: MomentProps) {
  return (
    <label class="field">
      <span class="label">{title}</span>
      <input
        type="datetime-local"
        step="1"
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

/** As inputs of that type write it: local, without a zone. */
function localInput(timeMs: number): string {
  const offsetMs = new Date(timeMs).getTimezoneOffset() * 60_000;
  return new Date(timeMs - offsetMs).toISOString().slice(0, 19);
}
