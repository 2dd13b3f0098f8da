import { useAnswer } from '../api/use-answer.js';
import { configBytes, formatBytes } from '../format/bytes.js';
import { formatCount } from '../format/number.js';
import { formatDuration, roughDuration } from '../format/time.js';
import { CopyButton } from '../parts/copy-button.js';
import { TextField } from '../parts/text-field.js';
import { useDraft } from '../parts/use-draft.js';
import type { RetentionAnswer, RetentionGroup } from './answer.js';
import { MAX_SLOTS, parseSlots } from './retention-state.js';
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
  const settled = perSeries ?? answer.limits.perSeries;
  const draft = useDraft({
    known: String(settled),
    problemOf: (text) =>
      parseSlots(text) === undefined ? `a whole number from 1 to ${formatCount(MAX_SLOTS)}` : undefined,
    onTake(text) {
      const slots = parseSlots(text);
      onPerSeries(slots === answer.limits.perSeries ? undefined : slots);
    },
  });
  const slots = parseSlots(draft.text);
  const rate = highestRate(total, answer.limits.perSeries, targetSeconds);
  const distance = (step: number) => Math.abs(step - (slots ?? settled));
  const step = STEPS.reduce(
    (best, each, index) => (distance(each) < distance(STEPS[best]!) ? index : best),
    0,
  );
  return (
    <fieldset class="what-if">
      <legend>What if rings had …</legend>
      <input
        type="range"
        aria-label="Slots a ring"
        aria-valuetext={`${slots ?? settled} slots`}
        min={0}
        max={STEPS.length - 1}
        value={step}
        onInput={(event) => draft.write(String(STEPS[Number(event.currentTarget.value)]!))}
        onChange={draft.takeOver}
        // Moved there and back, it has not changed, but written all the same.
        onPointerUp={draft.takeOver}
      />
      <TextField label="slots" draft={draft} size={7} inputMode="numeric" />
      <p role="status">
        {slots !== undefined && (
          <>
            The busiest series would remember <strong>{describeWindow(windowOf(slots, rate))}</strong>
            {slots === settled && (
              // The key: what other rings take is not shown for these, not even until their own answer has come.
              <Memory
                key={JSON.stringify([slots, match])}
                match={match}
                targetSeconds={targetFor(slots, rate)}
                maxBytes={answer.limits.maxBytes}
              />
            )}
            .
          </>
        )}
      </p>
      {perSeries !== undefined && (
        <button type="button" class="small" onClick={() => onPerSeries(undefined)}>
          Back to {formatCount(answer.limits.perSeries)}
        </button>
      )}
    </fieldset>
  );
}

const describeWindow = (seconds: number | undefined) =>
  seconds === undefined ? 'for ever' : roughDuration(seconds);

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
