import { useState } from 'preact/hooks';
import type { LiveState } from '../api/live.js';
import { formatCount } from '../format/number.js';
import { AXES, type Axis, type ExploreState, LIMITS, SOURCES, type SourceChoice } from './explore-state.js';
import type { LabelSummary } from './points.js';
import { RangeChoice } from './range-choice.js';
import { ValueBound } from './value-bound.js';

export interface ToolbarProps {
  readonly state: ExploreState;
  readonly colorBy: string;
  readonly labels: readonly LabelSummary[];
  readonly hasArchive: boolean;
  readonly live: LiveState | undefined;
  readonly isPaused: boolean;
  readonly onChange: (patch: Partial<ExploreState>) => void;
  readonly onPause: (isPaused: boolean) => void;
  readonly onRefresh: () => void;
  readonly onZoomOut: () => void;
}

const SOURCE_NAMES: Readonly<Record<SourceChoice, string>> = {
  all: 'Memory and archive',
  memory: 'Memory only',
  archive: 'Archive only',
};
const AXIS_NAMES: Readonly<Record<Axis, string>> = { log: 'Logarithmic', linear: 'Linear' };

/** What is asked for, and how it is drawn. */
export function Toolbar(props: ToolbarProps) {
  const { state, colorBy, labels, hasArchive, live, isPaused, onChange } = props;
  const limits = LIMITS.some((limit) => limit === state.limit) ? LIMITS : [...LIMITS, state.limit];
  // Where the screen is narrow, they would push the chart out of sight.
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div class="toolbar">
      <RangeChoice range={state.range} onChange={(range) => onChange({ range })} />
      <button
        type="button"
        onClick={props.onZoomOut}
        title="Back to before the last zoom, else twice the range"
      >
        Zoom out
      </button>
      <button type="button" onClick={props.onRefresh} title="Ask again">
        Refresh
      </button>
      <LiveControls
        isLive={state.isLive}
        isPaused={isPaused}
        live={live}
        onLive={(isLive) => onChange(isLive ? liveChange(state) : { isLive })}
        onPause={props.onPause}
      />
      <button
        type="button"
        class="options-toggle"
        aria-expanded={isOpen}
        aria-controls="options"
        onClick={() => setIsOpen(!isOpen)}
      >
        Options
      </button>
      <div id="options" class={isOpen ? 'options open' : 'options'}>
        <Choice
          label="Colour"
          value={state.colorBy ?? AUTOMATIC}
          options={[
            [AUTOMATIC, colorBy === '' ? 'Automatic' : `Automatic: ${colorBy}`],
            ['', 'One colour'],
            ...colorLabels(labels, state.colorBy).map((name): Option => [name, name]),
          ]}
          onChange={(value) => onChange({ colorBy: value === AUTOMATIC ? undefined : value, hidden: [] })}
        />
        <Choice
          label="Axis"
          value={state.axis}
          options={AXES.map((axis): Option => [axis, AXIS_NAMES[axis]])}
          onChange={(axis) => onChange({ axis: axis as Axis })}
        />
        {(hasArchive || state.source !== 'all') && (
          <Choice
            label="From"
            value={state.source}
            options={SOURCES.map((source): Option => [source, SOURCE_NAMES[source]])}
            onChange={(source) => onChange({ source: source as SourceChoice })}
          />
        )}
        <ValueBound label="Value ≥" value={state.minValue} onChange={(minValue) => onChange({ minValue })} />
        <ValueBound label="≤" value={state.maxValue} onChange={(maxValue) => onChange({ maxValue })} />
        <Choice
          label="At most"
          value={String(state.limit)}
          options={limits.map((limit): Option => [String(limit), formatCount(limit)])}
          onChange={(limit) => onChange({ limit: Number(limit) })}
        />
      </div>
    </div>
  );
}

/** Live mode, and what can be seen live. */
function liveChange({ range, source }: ExploreState): Partial<ExploreState> {
  return {
    isLive: true,
    range: range.kind === 'between' ? { kind: 'last', seconds: 900 } : range,
    source: source === 'archive' ? 'all' : source,
  };
}

/** No label has this name: names have no spaces at the beginning here. */
const AUTOMATIC = ' automatic';

function colorLabels(labels: readonly LabelSummary[], chosen: string | undefined): string[] {
  const names = labels.filter(({ isVarying }) => isVarying).map(({ name }) => name);
  return chosen === undefined || chosen === '' || names.includes(chosen) ? names : [...names, chosen];
}

type Option = readonly [value: string, name: string];

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly Option[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="field">
      <span class="label">{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface LiveControlsProps {
  readonly isLive: boolean;
  readonly isPaused: boolean;
  readonly live: LiveState | undefined;
  readonly onLive: (isLive: boolean) => void;
  readonly onPause: (isPaused: boolean) => void;
}

const LIVE_WORDS: Readonly<Record<LiveState, string>> = {
  connecting: 'connecting …',
  open: 'as they come',
  waiting: 'no connection, trying again …',
};

function LiveControls({ isLive, isPaused, live, onLive, onPause }: LiveControlsProps) {
  return (
    <span class="live">
      <button type="button" aria-pressed={isLive} onClick={() => onLive(!isLive)}>
        <span class={`dot ${isLive && !isPaused ? (live ?? '') : ''}`} aria-hidden="true" /> Live
      </button>
      {isLive && (
        <button type="button" onClick={() => onPause(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      )}
      {isLive && (
        <span class="live-state" role="status">
          {isPaused ? 'paused' : live === undefined ? '' : LIVE_WORDS[live]}
        </span>
      )}
    </span>
  );
}
