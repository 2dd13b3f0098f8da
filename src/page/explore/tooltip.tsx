import { formatNumber } from '../format/number.js';
import { formatDateTime } from '../format/time.js';
import type { Point } from './points.js';

export interface TooltipProps {
  readonly point: Point;
  /** In the chart, CSS pixels. */
  readonly left: number;
  readonly top: number;
  /** Of the chart. */
  readonly width: number;
  readonly height: number;
}

/** All labels of the point under the pointer. */
export function Tooltip({ point, left, top, width, height }: TooltipProps) {
  const isLeft = left > width / 2;
  const isAbove = top > height / 2;
  const style = {
    left: isLeft ? 'auto' : `${left + 14}px`,
    right: isLeft ? `${width - left + 14}px` : 'auto',
    top: isAbove ? 'auto' : `${top + 10}px`,
    bottom: isAbove ? `${height - top + 10}px` : 'auto',
    maxWidth: `${Math.max(180, (isLeft ? left : width - left) - 24)}px`,
  };
  return (
    <div class="tooltip" style={style} aria-hidden="true">
      <strong>{formatNumber(point.value)}</strong> <span>{formatDateTime(point.timeMs)}</span>
      {point.source !== 'memory' && <span class="badge">{point.source}</span>}
      <dl>
        {[...Object.entries(point.labels), ...Object.entries(point.series)].map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** For those who hear the page. */
export function describePoint(point: Point): string {
  const labels = [...Object.entries(point.labels), ...Object.entries(point.series)];
  const said = labels.map(([name, value]) => `${name} ${value}`).join(', ');
  return `${formatNumber(point.value)} at ${formatDateTime(point.timeMs)}, from ${point.source}. ${said}`;
}
