import type { Rgb } from './palette.js';

/** Points to draw, in parallel arrays. */
export interface Marks {
  /** Device pixels inside the plot; NaN: not shown. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** The group of each, and so its colour. */
  readonly groupOf: Uint8Array;
  /** The shape of each, an index into `SHAPES`. */
  readonly shapeOf: Uint8Array;
}

/** Told apart at any size, and without colours. */
export const SHAPES = ['disc', 'frame', 'triangle'] as const;
type Shape = (typeof SHAPES)[number];

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
    const stamps = SHAPES.map((shape) => stampOf(radius, shape));
    for (let index = 0; index < marks.x.length; index++) {
      const x = marks.x[index]!;
      if (Number.isNaN(x)) continue;
      const stamp = stamps[marks.shapeOf[index]!]!;
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

function stampOf(radius: number, shape: Shape): Stamp {
  const reach = Math.ceil(radius + 0.5);
  const size = 2 * reach + 1;
  const alphas = new Uint8Array(size * size);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      alphas[(dy + reach) * size + dx + reach] = Math.round(255 * COVERS[shape](dx, dy, radius));
    }
  }
  return { reach, alphas };
}

/** How much of the pixel there, from the middle of the shape, is covered: 0 … 1. */
const COVERS: Readonly<Record<Shape, (dx: number, dy: number, radius: number) => number>> = {
  disc: (dx, dy, radius) => Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy))),
  frame(dx, dy, radius) {
    const half = Math.max(2, Math.round(radius));
    const distance = Math.max(Math.abs(dx), Math.abs(dy));
    return Number(distance <= half && distance > half - Math.max(1, Math.round(radius / 3)));
  },
  triangle(dx, dy, radius) {
    const half = Math.max(2, Math.round(radius));
    return Number(Math.abs(dy) <= half && Math.abs(dx) <= (dy + half) / 2);
  },
};

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
