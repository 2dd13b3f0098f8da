/** Typed arrays that grow. */

type Column = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;

/**
 * A copy of `column` with room for `length` elements, the new ones zero. The system hands out untouched pages
 * of a large array only when they are written, so room not yet used costs address space, not memory.
 */
export function grown<C extends Column>(column: C, length: number): C {
  const larger = new (column.constructor as new (length: number) => C)(length);
  larger.set(column);
  return larger;
}

/** The next capacity for at least `needed` elements: doubling, so that copying stays a constant cost an element. */
export function nextCapacity(current: number, needed: number): number {
  return Math.max(needed, current * 2, 64);
}
