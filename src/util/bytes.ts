/** Bytes compared and hashed without leaving JavaScript: below some 200 bytes a native call costs more. */

const WORD = 4;
const STRIDE = 16;

/** Whether `a[atA, atA + length)` and `b[atB, …)` hold the same bytes. Both ranges must be inside their views. */
export function equalBytes(a: DataView, atA: number, b: DataView, atB: number, length: number): boolean {
  let i = 0;
  for (; i + STRIDE <= length; i += STRIDE) {
    const difference =
      (a.getInt32(atA + i, true) ^ b.getInt32(atB + i, true)) |
      (a.getInt32(atA + i + 4, true) ^ b.getInt32(atB + i + 4, true)) |
      (a.getInt32(atA + i + 8, true) ^ b.getInt32(atB + i + 8, true)) |
      (a.getInt32(atA + i + 12, true) ^ b.getInt32(atB + i + 12, true));
    if (difference !== 0) return false;
  }
  for (; i + WORD <= length; i += WORD) {
    if (a.getInt32(atA + i, true) !== b.getInt32(atB + i, true)) return false;
  }
  for (; i < length; i++) if (a.getUint8(atA + i) !== b.getUint8(atB + i)) return false;
  return true;
}

/** Copies `from[atFrom, atFrom + length)` to `to[atTo, …)`. The ranges must not overlap. */
export function copyBytes(from: DataView, atFrom: number, to: DataView, atTo: number, length: number): void {
  let i = 0;
  for (; i + WORD <= length; i += WORD) to.setInt32(atTo + i, from.getInt32(atFrom + i, true), true);
  for (; i < length; i++) to.setUint8(atTo + i, from.getUint8(atFrom + i));
}

/** A 32-bit hash of `view[at, at + length)`, the same wherever the bytes stand. */
export function hashBytes(view: DataView, at: number, length: number): number {
  let hash = 0x9e3779b9 ^ length;
  let i = 0;
  for (; i + WORD <= length; i += WORD) hash = mix(hash, view.getInt32(at + i, true));
  for (; i < length; i++) hash = mix(hash, view.getUint8(at + i));
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return (mixed << 13) | (mixed >>> 19);
}

export function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
