import type { Source } from '../api/answers.js';
import { formatCount } from '../format/number.js';
import type { Group } from './groups.js';
import { cssColor, type Rgb } from './palette.js';
import { SHAPE_OF } from './shapes.js';

export interface LegendProps {
  readonly label: string;
  readonly groups: readonly Group[];
  readonly colors: readonly Rgb[];
  /** Keys. */
  readonly hidden: readonly string[];
  readonly onHide: (hidden: readonly string[]) => void;
  readonly bySource: Readonly<Record<Source, number>>;
}

/** What the colours mean, and how many there are; a click hides or shows a group. */
export function Legend({ label, groups, colors, hidden, onHide, bySource }: LegendProps) {
  const toggle = (key: string) =>
    onHide(hidden.includes(key) ? hidden.filter((each) => each !== key) : [...hidden, key]);
  return (
    <div class="legend">
      {label !== '' && <span class="legend-label">{label}</span>}
      <ul aria-label={label === '' ? 'Groups' : `Groups by ${label}`}>
        {groups.map(({ key, name, count }, index) => (
          <li key={key}>
            <button
              type="button"
              class="chip"
              aria-pressed={!hidden.includes(key)}
              title={hidden.includes(key) ? `Show ${name}` : `Hide ${name}`}
              onClick={() => toggle(key)}
            >
              <span class="swatch" aria-hidden="true" style={{ background: cssColor(colors[index]!) }} />
              <span class="name">{name}</span>
              <span class="count">{formatCount(count)}</span>
            </button>
          </li>
        ))}
      </ul>
      {hidden.length > 0 && (
        <button type="button" class="small" onClick={() => onHide([])}>
          Show all
        </button>
      )}
      <Shapes bySource={bySource} />
    </div>
  );
}

const SOURCE_NAMES: Readonly<Record<Source, string>> = {
  memory: 'in memory',
  archive: 'from the archive',
  upstream: 'from the upstream',
};

/** Only where there is something to tell apart. */
function Shapes({ bySource }: Pick<LegendProps, 'bySource'>) {
  if (bySource.archive === 0 && bySource.upstream === 0) return null;
  const present = (Object.keys(SOURCE_NAMES) as Source[]).filter((source) => bySource[source] > 0);
  return (
    <ul class="shapes" aria-label="Shapes">
      {present.map((source) => (
        <li key={source}>
          <span class={`shape ${SHAPE_OF[source]}`} aria-hidden="true" /> {SOURCE_NAMES[source]} (
          {formatCount(bySource[source])})
        </li>
      ))}
    </ul>
  );
}
