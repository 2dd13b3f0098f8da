import { useEffect, useState } from 'preact/hooks';
import { useAnswer } from '../api/use-answer.js';
import { configBytes, formatBytes } from '../format/bytes.js';
import { formatCount } from '../format/number.js';
import { formatDuration, roughDuration } from '../format/time.js';
import { CopyButton } from '../parts/copy-button.js';
import type { RetentionAnswer, RetentionGroup } from './answer.js';
import { adviceFor, highestRate, targetFor, windowOf } from './what-if.js';

export interface AdviceBoxProps {
  readonly total: RetentionGroup;
  readonly answer: RetentionAnswer;
  readonly targetSeconds: number;
  readonly isConfigured: boolean;
  readonly hasArchive: boolean;
  /** The selector that all of it is about; empty: all series. */
  readonly match: string;
  readonly perSeries: number | undefined;
  readonly onPerSeries: (perSeries: number | undefined) => void;
}

/** Whether the target is met, what to change if not, and what other rings would do. */
export function AdviceBox(props: AdviceBoxProps) {
  const { total, answer, targetSeconds, isConfigured, hasArchive, match } = props;
  const target = { seconds: targetSeconds, text: formatDuration(targetSeconds), isConfigured };
  const { text, snippet } = adviceFor(total, answer.limits, target, configBytes);
  return (
    <section class={`advice ${snippet === undefined ? 'fine' : 'missed'}`} aria-label="Advice">
      <div>
        <h2>
          {snippet === undefined ? 'The target is met' : 'The target is missed'}
          <span class="hint">
            {' '}
            {target.text}
            {isConfigured ? '' : ', unless you set another'}
          </span>
        </h2>
        {text.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {snippet !== undefined && (
          <>
            <div class="snippet">
              <pre>{snippet}</pre>
              <CopyButton text={snippet} what="the configuration" />
            </div>
            <p class="hint">
              {match !== '' &&
                'This is for the selected series alone: “All jobs” says what all of them need. '}
              {hasArchive
                ? 'Or leave it: queries find in the archive what rings have given up.'
                : 'Or run with --storage.path: queries then find in the archive what rings have given up.'}
            </p>
          </>
        )}
      </div>
      <WhatIf {...props} />
    </section>
  );
}

/** Sizes that a slider reaches, each so much larger than the one before. */
const STEPS = Array.from({ length: 69 }, (_, step) => Math.round(8 * 2 ** (step / 4)));

function WhatIf({ total, answer, targetSeconds, match, perSeries, onPerSeries }: AdviceBoxProps) {
  const [size, setSize] = useState(perSeries ?? answer.limits.perSeries);
  useEffect(() => setSize(perSeries ?? answer.limits.perSeries), [perSeries, answer.limits.perSeries]);
  const rate = highestRate(total, answer.limits.perSeries, targetSeconds);
  const seconds = windowOf(size, rate);
  const step = STEPS.reduce(
    (best, each, index) => (Math.abs(each - size) < Math.abs(STEPS[best]! - size) ? index : best),
    0,
  );
  const isSettled = size === (perSeries ?? answer.limits.perSeries);
  const settle = () => onPerSeries(size === answer.limits.perSeries ? undefined : size);
  return (
    <fieldset class="what-if">
      <legend>What if rings had …</legend>
      <input
        type="range"
        aria-label="Slots a ring"
        aria-valuetext={`${size} slots`}
        min={0}
        max={STEPS.length - 1}
        value={step}
        onInput={(event) => setSize(STEPS[Number(event.currentTarget.value)]!)}
        onChange={settle}
      />
      <label class="field">
        <input
          type="text"
          inputMode="numeric"
          aria-label="Slots"
          size={7}
          value={String(size)}
          onInput={(event) => {
            const slots = Number(event.currentTarget.value);
            if (Number.isInteger(slots) && slots > 0 && slots <= 10_000_000) setSize(slots);
          }}
          onBlur={settle}
          onKeyDown={(event) => event.key === 'Enter' && settle()}
        />
        <span class="label">slots</span>
      </label>
      <p role="status">
        The busiest series would remember{' '}
        <strong>{seconds === undefined ? 'for ever' : roughDuration(seconds)}</strong>
        {isSettled && (
          // The key: what other rings take is not shown for these, not even until their own answer has come.
          <Memory
            key={JSON.stringify([size, match])}
            match={match}
            targetSeconds={targetFor(size, rate)}
            maxBytes={answer.limits.maxBytes}
          />
        )}
        .
      </p>
      {perSeries !== undefined && (
        <button type="button" class="small" onClick={() => onPerSeries(undefined)}>
          Back to {formatCount(answer.limits.perSeries)}
        </button>
      )}
    </fieldset>
  );
}

interface MemoryProps {
  readonly match: string;
  /** What the rings asked about would remember; undefined: nothing comes, so nothing can be foretold. */
  readonly targetSeconds: number | undefined;
  readonly maxBytes: number;
}

/** What all rings would take that remember so much, as the server foretells it. */
function Memory({ match, targetSeconds, maxBytes }: MemoryProps) {
  const forecast = useAnswer<RetentionAnswer>(targetSeconds === undefined ? undefined : 'retention', {
    'match[]': match === '' ? undefined : match,
    by: 'total',
    target: `${Math.max(1, Math.round((targetSeconds ?? 0) * 1000))}ms`,
  });
  const bytes = forecast.state === 'ready' ? forecast.data.groups[0]?.forecast.bytesForTarget : undefined;
  if (bytes === undefined || bytes === null) return null;
  return (
    <>
      ; all of them would take about <strong>{formatBytes(bytes)}</strong>
      {bytes > maxBytes && ` (max_bytes is ${formatBytes(maxBytes)})`}
    </>
  );
}
