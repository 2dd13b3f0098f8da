import { formatCount } from '../format/number.js';
import type { Group } from './groups.js';
import { cssColor, type Rgb } from './palette.js';

export interface LegendProps {
  readonly label: string;
  readonly groups: readonly Group[];
  readonly colors: readonly Rgb[];
  /** Keys. */
  readonly hidden: readonly string[];
  readonly onHide: (hidden: readonly string[]) => void;
  readonly fromArchive: number;
}

/** What the colours mean, and how many there are; a click hides or shows a group. */
export function Legend({ label, groups, colors, hidden, onHide, fromArchive }: LegendProps) {
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
      {fromArchive > 0 && (
        <ul class="shapes" aria-label="Shapes">
          <li>
            <span class="shape memory" aria-hidden="true" /> in memory
          </li>
          <li>
            <span class="shape archive" aria-hidden="true" /> from the archive ({formatCount(fromArchive)})
          </li>
        </ul>
      )}
    </div>
  );
}
