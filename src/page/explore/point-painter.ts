import type { Rgb } from './palette.js';

/** Points to draw, in parallel arrays. */
export interface Marks {
  /** Device pixels inside the plot; NaN: not shown. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** The group of each, and so its colour. */
  readonly groupOf: Uint8Array;
  /** 1: hollow. */
  readonly isHollow: Uint8Array;
}

/**
 * Draws points pixel by pixel into a picture of its own, which the chart then takes as a whole: one canvas call
 * for 100,000 points. Canvas paths of as many circles would take some hundred milliseconds.
 */
export class PointPainter {
  readonly #canvas = document.createElement('canvas');
  readonly #context = this.#canvas.getContext('2d')!;
  #image: ImageData | undefined;

  /** @param radius in device pixels */
  paint(
    marks: Marks,
    colors: readonly Rgb[],
    width: number,
    height: number,
    radius: number,
  ): HTMLCanvasElement {
    const image = this.#clearedImage(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const inks = Uint32Array.from(colors, ([red, green, blue]) => (blue << 16) | (green << 8) | red);
    const full = stampOf(radius, false);
    const hollow = stampOf(radius, true);
    for (let index = 0; index < marks.x.length; index++) {
      const x = marks.x[index]!;
      if (Number.isNaN(x)) continue;
      const stamp = marks.isHollow[index] === 1 ? hollow : full;
      const ink = inks[marks.groupOf[index]!]!;
      print(stamp, ink, Math.round(x), Math.round(marks.y[index]!), pixels, width, height);
    }
    this.#context.putImageData(image, 0, 0);
    return this.#canvas;
  }

  #clearedImage(width: number, height: number): ImageData {
    if (this.#image?.width === width && this.#image.height === height) {
      this.#image.data.fill(0);
      return this.#image;
    }
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#image = new ImageData(width, height);
    return this.#image;
  }
}

/** A square of opacities, 0 … 255, row by row. */
interface Stamp {
  readonly reach: number;
  readonly alphas: Uint8Array;
}

/** A disc, or the frame of a square: told apart at any size, and without colours. */
function stampOf(radius: number, isHollow: boolean): Stamp {
  const reach = Math.ceil(radius + 0.5);
  const size = 2 * reach + 1;
  const alphas = new Uint8Array(size * size);
  const half = Math.max(2, Math.round(radius));
  const frame = Math.max(1, Math.round(radius / 3));
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const distance = isHollow ? Math.max(Math.abs(dx), Math.abs(dy)) : Math.hypot(dx, dy);
      const cover = isHollow
        ? Number(distance <= half && distance > half - frame)
        : Math.min(1, Math.max(0, radius + 0.5 - distance));
      alphas[(dy + reach) * size + dx + reach] = Math.round(255 * cover);
    }
  }
  return { reach, alphas };
}

/** Later points lie over earlier ones; a soft edge never covers a full pixel. Little-endian, as all browsers are. */
function print(
  { reach, alphas }: Stamp,
  ink: number,
  x: number,
  y: number,
  pixels: Uint32Array,
  width: number,
  height: number,
): void {
  const size = 2 * reach + 1;
  const [firstColumn, lastColumn] = [Math.max(-reach, -x), Math.min(reach, width - 1 - x)];
  const [firstRow, lastRow] = [Math.max(-reach, -y), Math.min(reach, height - 1 - y)];
  for (let dy = firstRow; dy <= lastRow; dy++) {
    let stamped = (dy + reach) * size + firstColumn + reach;
    let at = (y + dy) * width + x + firstColumn;
    for (let dx = firstColumn; dx <= lastColumn; dx++, stamped++, at++) {
      const alpha = alphas[stamped]!;
      if (alpha !== 0 && alpha >= pixels[at]! >>> 24) pixels[at] = ((alpha << 24) | ink) >>> 0;
    }
  }
}
