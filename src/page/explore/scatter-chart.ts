import uPlot from 'uplot';
import { formatExact } from '../format/number.js';
import type { Axis } from './explore-state.js';
import type { Rgb } from './palette.js';
import { PointIndex } from './point-index.js';
import { PointPainter, SHAPES } from './point-painter.js';
import { firstAtOrAfter, indexOfPoint, type Point } from './points.js';
import { type Extent, placePoints } from './scatter-layout.js';
import { SHAPE_OF } from './shapes.js';
import { type ValueScale, valueScale } from './value-scale.js';

export interface ScatterData {
  /** In the order of time. */
  readonly points: readonly Point[];
  readonly groupOf: Uint8Array;
  readonly colors: readonly Rgb[];
  /** By index of group. */
  readonly isHidden: readonly boolean[];
  readonly extent: Extent;
}

export interface ScatterEvents {
  /** The point under the pointer, or none. @param isMoved else points have come or gone under a pointer that rests */
  onHover(point: Point | undefined, isMoved: boolean): void;
  /** A click, which may be the first of two. */
  onClick(point: Point | undefined): void;
  onDoubleClick(): void;
  /** Points are at new places. */
  onPaint(): void;
  /** What a drag enclosed; with the values left out where it was along time only. */
  onSelect(area: { startMs: number; endMs: number; minValue?: number; maxValue?: number }): void;
}

/** How far from a point the pointer still means it, in CSS pixels. */
const REACH = 12;

/** Room for a value on the axis, in CSS pixels. */
const PER_SPLIT = 30;

/** Drags shorter than this in one direction select along the other only, in CSS pixels. */
const ONE_DIRECTION = 24;

const TIME_FORMATS: readonly (readonly (string | number | null)[])[] = [
  [365 * 86_400_000, '{YYYY}', null, null, null, null, null, null, 1],
  [28 * 86_400_000, '{YYYY}-{MM}', null, null, null, null, null, null, 1],
  [86_400_000, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [60_000, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
  [1000, '{HH}:{mm}:{ss}', '\n{YYYY}-{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
  [
    1,
    ':{ss}.{fff}',
    '\n{YYYY}-{MM}-{DD} {HH}:{mm}',
    null,
    '\n{MM}-{DD} {HH}:{mm}',
    null,
    '\n{HH}:{mm}',
    null,
    1,
  ],
];

/**
 * Axes, cursor and drag are uPlot's; the points are painted here. For uPlot, the value axis goes from 0 to 1:
 * with the values themselves, which targets choose, its arithmetic would overflow and its labels be missing.
 */
export class ScatterChart {
  readonly #plot: uPlot;
  readonly #painter = new PointPainter();
  readonly #marker = document.createElement('div');
  #data: ScatterData;
  #scale: ValueScale;
  #splits: readonly number[] = [];
  #places: { x: Float32Array; y: Float32Array } = { x: new Float32Array(), y: new Float32Array() };
  /** What `#places` and `#index` are about. */
  #painted: readonly Point[] = [];
  #index: PointIndex | undefined;
  #hovered: Point | undefined;
  #pointer = { clientX: 0, clientY: 0 };
  /** Since the last look at what is under it. */
  #isMoved = false;
  /** By the last click that was not the second of two. */
  #isClicked = false;

  constructor(
    container: HTMLElement,
    readonly axis: Axis,
    data: ScatterData,
    readonly events: ScatterEvents,
  ) {
    this.#data = data;
    this.#scale = this.#scaleOf(data);
    this.#plot = new uPlot(this.#options(container), this.#corners(), container);
    this.#marker.className = 'scatter-marker';
    this.#marker.hidden = true;
    this.#plot.over.append(this.#marker);
    // uPlot, which is told after this, looks at the pointer also when data came; and browsers tell of moves where only the
    // layout moved.
    const onMove = ({ clientX, clientY }: MouseEvent) => {
      this.#isMoved = clientX !== this.#pointer.clientX || clientY !== this.#pointer.clientY;
      this.#pointer = { clientX, clientY };
    };
    this.#plot.root.addEventListener('mousemove', onMove, { capture: true });
    // uPlot keeps back the clicks that end a drag.
    this.#plot.over.addEventListener('click', () => this.events.onClick(this.#hovered));
    window.addEventListener('click', this.#noteClick, { capture: true });
  }

  /** What the first click of two opens may come to lie under the pointer: the second is meant for the chart all the same. */
  readonly #noteClick = (event: MouseEvent) => {
    const isSecond = event.detail > 0 && event.detail % 2 === 0;
    if (isSecond && this.#isClicked) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.events.onDoubleClick();
    }
    this.#isClicked = !isSecond && this.#plot.over.contains(event.target as Node);
  };

  /** Painted soon, not at once. */
  show(data: ScatterData): void {
    this.#data = data;
    this.#scale = this.#scaleOf(data);
    this.#plot.setData(this.#corners());
    // To uPlot, the value axis is what it was; its labels are not.
    this.#plot.redraw(false, true);
  }

  resize(width: number, height: number): void {
    if (width !== this.#plot.width || height !== this.#plot.height) this.#plot.setSize({ width, height });
  }

  destroy(): void {
    window.removeEventListener('click', this.#noteClick, { capture: true });
    this.#plot.destroy();
  }

  /** Rings a point, or none. @returns where it is inside the container, in CSS pixels; undefined: nowhere */
  mark(point: Point | undefined): { left: number; top: number } | undefined {
    const ratio = uPlot.pxRatio;
    const index = indexOfPoint(point, this.#painted);
    const isPlaced = index !== undefined && this.#isPlaced(index);
    this.#marker.hidden = !isPlaced;
    if (!isPlaced) return undefined;
    const [left, top] = [this.#places.x[index]! / ratio, this.#places.y[index]! / ratio];
    this.#marker.style.transform = `translate(${left}px, ${top}px)`;
    return { left: left + this.#plot.over.offsetLeft, top: top + this.#plot.over.offsetTop };
  }

  /**
   * The point that is drawn so many drawn points away, or the last on the way there.
   * @param from undefined: forwards from before the oldest, backwards from behind the newest
   */
  pointAfter(from: Point | undefined, step: number): Point | undefined {
    const direction = Math.sign(step);
    let index = this.#placeOf(from, direction);
    let found: Point | undefined;
    for (let left = Math.abs(step); left > 0; ) {
      index += direction;
      if (index < 0 || index >= this.#painted.length) break;
      if (!this.#isPlaced(index)) continue;
      found = this.#painted[index];
      left--;
    }
    return found;
  }

  /** An index; beside where it was, if it has gone. */
  #placeOf(point: Point | undefined, direction: number): number {
    if (point === undefined) return direction > 0 ? -1 : this.#painted.length;
    const next = firstAtOrAfter(this.#painted, point.timeMs);
    return indexOfPoint(point, this.#painted) ?? (direction > 0 ? next - 1 : next);
  }

  /** Whether it is drawn: not hidden, and inside the axes. */
  #isPlaced(index: number): boolean {
    return !Number.isNaN(this.#places.x[index]!);
  }

  #options(container: HTMLElement): uPlot.Options {
    const style = getComputedStyle(container);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const axis: uPlot.Axis = {
      stroke: color('--text-quiet'),
      grid: { stroke: color('--line-faint'), width: 1 },
      ticks: { stroke: color('--line'), width: 1, size: 5 },
      font: `12px ${style.fontFamily}`,
    };
    return {
      width: container.clientWidth,
      height: container.clientHeight,
      ms: 1,
      legend: { show: false },
      padding: [10, 12, 0, 0],
      scales: {
        x: { time: true, range: () => [this.#data.extent.startMs, this.#data.extent.endMs] },
        y: { range: () => [0, 1] },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [
        { ...axis, values: TIME_FORMATS as uPlot.Axis.Values, space: 70 },
        {
          ...axis,
          size: (_plot, values) => widthFor(values),
          splits: (plot) => {
            this.#splits = this.#scale.splits(plot.bbox.height / uPlot.pxRatio / PER_SPLIT);
            return this.#splits.map(this.#scale.fractionOf);
          },
          values: () => this.#splits.map(formatExact),
        },
      ],
      cursor: {
        points: { show: false },
        drag: { x: true, y: true, uni: ONE_DIRECTION, dist: 4, setScale: false },
        bind: { dblclick: () => null },
      },
      hooks: {
        draw: [() => this.#paint()],
        setCursor: [({ cursor }) => this.#hover(cursor.left ?? -1, cursor.top ?? -1)],
        setSelect: [(plot) => this.#select(plot)],
      },
    };
  }

  /** For uPlot's own scales; it draws none of it. */
  #corners(): uPlot.AlignedData {
    const { startMs, endMs } = this.#data.extent;
    return [
      [startMs, endMs],
      [0, 1],
    ];
  }

  #scaleOf({ extent }: ScatterData): ValueScale {
    return valueScale(extent.minValue, extent.maxValue, this.axis);
  }

  #paint(): void {
    const { points, groupOf, isHidden, extent, colors } = this.#data;
    const { left, top, width, height } = this.#plot.bbox;
    if (width <= 0 || height <= 0) return;
    const isShown = (index: number) => !isHidden[groupOf[index]!];
    this.#places = placePoints(points, isShown, extent, this.#scale, width, height);
    this.#painted = points;
    this.#index = undefined;
    const shapeOf = Uint8Array.from(points, ({ source }) => SHAPES.indexOf(SHAPE_OF[source]));
    const radius = radiusFor(points.length) * uPlot.pxRatio;
    const picture = this.#painter.paint(
      { ...this.#places, groupOf, shapeOf },
      colors,
      Math.round(width),
      Math.round(height),
      radius,
    );
    this.#plot.ctx.drawImage(picture, Math.round(left), Math.round(top));
    const { cursor } = this.#plot;
    this.#hover(cursor.left ?? -1, cursor.top ?? -1);
    this.events.onPaint();
  }

  #hover(left: number, top: number): void {
    const { select } = this.#plot;
    const isDragging = select.width > 0 || select.height > 0;
    const isMeant = left >= 0 && top >= 0 && !isDragging;
    const point = isMeant ? this.#nearest(left, top) : undefined;
    const isMoved = this.#isMoved;
    this.#isMoved = false;
    if (point === this.#hovered && !isMoved) return;
    this.#hovered = point;
    this.events.onHover(point, isMoved);
  }

  #nearest(left: number, top: number): Point | undefined {
    const { width, height } = this.#plot.bbox;
    const ratio = uPlot.pxRatio;
    this.#index ??= new PointIndex(this.#places.x, this.#places.y, width, height, 16 * ratio);
    const index = this.#index.nearest(left * ratio, top * ratio, REACH * ratio);
    return index === undefined ? undefined : this.#painted[index];
  }

  #select(plot: uPlot): void {
    const { left, top, width, height } = plot.select;
    if (width <= 0 || height <= 0) return;
    const [startMs, endMs] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    const valueAt = (pixel: number) => roundedValue(this.#scale.valueAt(plot.posToVal(pixel, 'y')));
    const [maxValue, minValue] = [valueAt(top), valueAt(top + height)];
    // Along one direction, uPlot selects the whole of the other.
    const isAllValues = height >= plot.over.clientHeight - 1;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.onSelect(isAllValues ? { startMs, endMs } : { startMs, endMs, minValue, maxValue });
  }
}

/** Of the value axis, in CSS pixels: a label cut off at its sign would say something else. */
function widthFor(labels: readonly string[] | null): number {
  const longest = Math.max(0, ...(labels ?? []).map(({ length }) => length));
  return Math.max(64, 14 + 7.5 * longest);
}

/** To what a pixel can tell; the greatest numbers would round to infinity. */
function roundedValue(value: number): number {
  const rounded = Number(value.toPrecision(5));
  return Number.isFinite(rounded) ? rounded : value;
}

/** In CSS pixels: the more points, the smaller. */
function radiusFor(count: number): number {
  if (count > 30_000) return 1.5;
  if (count > 5000) return 2;
  return count > 500 ? 3 : 4;
}
