import { LABEL_SEPARATOR } from '../model/encoded-labels.js';
import { MAX_EXEMPLAR_CODE_POINTS } from '../model/exemplar.js';
import { jsonString } from '../util/json.js';
import { ID_BYTES } from './slot-slab.js';

/**
 * Exemplar label sets differ in their ids and hardly ever in anything else. A shape is what many share: the
 * names, and for each whether its value is packed as an id or kept as text.
 *
 *   {span_id="00f067aa0ba902b7", trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}      as a slot keeps it:
 *     shape  span_id:id8 trace_id:id16
 *     ids    00f067aa0ba902b7 4bf92f3577b34da6a3ce929d0e0e4736                      24 bytes
 *
 *   {trace_id="4bf92f3577b34da6a3ce929d0e0e4736", user="ada"}
 *     shape  trace_id:id16 user:text
 *     ids    4bf92f3577b34da6a3ce929d0e0e4736 …… ref                                ref: slots with `ada 0xFF`
 *
 * Only 32 or 16 lower-case hex digits are packed, since only those come back exactly as they were given.
 */
export interface Shape {
  readonly names: readonly Buffer[];
  readonly kinds: readonly ValueKind[];
  readonly texts: number;
  /** `"name":"` of every label, for answers. */
  readonly jsonNames: readonly string[];
}

/** Bytes a packed value takes in a slot; 0 stands for text. */
export type ValueKind = 0 | 8 | 16;

/**
 * A shape number must fit beside the own-timestamp bit of a slot's 16. Services have dozens; what only hostile
 * ones have is bounded to a few megabytes, which no cap counts.
 */
const MAX_SHAPES = 0xfff;
/** Names are the users' and could be new every time: past this many, shape 0 keeps names as text as well. */
const NAMES_AS_TEXT: Shape = { names: [], kinds: [], texts: 0, jsonNames: [] };
export const NAMES_AS_TEXT_SHAPE = 0;

/** With text, the last four bytes of the ids are the ref of the slots that hold it. */
const ID_BYTES_BESIDE_TEXT = ID_BYTES - 4;

/** Hex digit → its value; 255 for any other byte, upper case included. */
const NIBBLES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const nibble = '0123456789abcdef'.indexOf(String.fromCharCode(byte));
  return nibble < 0 ? 255 : nibble;
});

/** The caller refuses sets of more code points than this, so there are never more labels. */
const MAX_LABELS = MAX_EXEMPLAR_CODE_POINTS;

export class LabelShapes {
  readonly #shapes: Shape[] = [NAMES_AS_TEXT];
  readonly #byHash = new Map<number, number[]>();
  readonly #maxShapes: number;
  /** Of each label in hand: start of name, its end, start of value, its end. */
  readonly #bounds = new Int32Array(4 * MAX_LABELS);
  readonly #kinds = new Uint8Array(MAX_LABELS);
  #labels = 0;
  /** The shape found last. */
  #last = NAMES_AS_TEXT_SHAPE;

  /** Bytes of text that the last `pack` wrote, with zeros up to whole slots. */
  textLength = 0;
  /** Memory of names, roughly. */
  bytes = 0;

  constructor(maxShapes = MAX_SHAPES) {
    this.#maxShapes = maxShapes;
  }

  shape(number: number): Shape {
    return this.#shapes[number]!;
  }

  /**
   * Splits encoded labels, `encoded[0, length)`, into packed ids, written to `ids[idsAt, idsAt + ID_BYTES)`, and text, written to
   * `text`; equal label sets give equal bytes.
   * @returns the number of the shape
   */
  pack(encoded: Uint8Array, length: number, ids: Uint8Array, idsAt: number, text: Uint8Array): number {
    this.textLength = 0;
    if (this.#packAsLast(encoded, length, ids, idsAt)) return this.#last;
    for (let at = idsAt; at < idsAt + ID_BYTES; at++) ids[at] = 0;
    const hash = this.#measure(encoded, length);
    const shape = this.#find(hash, encoded);
    if (shape === NAMES_AS_TEXT_SHAPE) {
      text.set(encoded.subarray(0, length));
      this.textLength = length;
      this.#padText(text);
      return shape;
    }
    for (let i = 0, at = idsAt; i < this.#labels; i++) {
      const valueStart = this.#bounds[4 * i + 2]!;
      const kind = this.#kinds[i]!;
      if (kind === 0) this.#copyText(encoded, valueStart, this.#bounds[4 * i + 3]!, text);
      for (let byte = 0; byte < kind; byte++) {
        const digit = valueStart + 2 * byte;
        ids[at++] = (NIBBLES[encoded[digit]!]! << 4) | NIBBLES[encoded[digit + 1]!]!;
      }
    }
    this.#padText(text);
    this.#last = shape;
    return shape;
  }

  /**
   * The same in one pass, where the set has the shape of the one before: nearly always, since a service names
   * its ids in one way. Only for shapes without text.
   */
  #packAsLast(encoded: Uint8Array, length: number, ids: Uint8Array, idsAt: number): boolean {
    const { names, kinds, texts } = this.#shapes[this.#last]!;
    if (texts > 0 || kinds.length === 0) return false;
    let at = 0;
    let to = idsAt;
    for (let i = 0; i < kinds.length; i++) {
      const name = names[i]!;
      for (let k = 0; k < name.length; k++) if (encoded[at++] !== name[k]) return false;
      const kind = kinds[i]!;
      if (encoded[at++] !== LABEL_SEPARATOR || encoded[at + 2 * kind] !== LABEL_SEPARATOR) return false;
      let seen = 0;
      for (const end = to + kind; to < end; to++, at += 2) {
        const high = NIBBLES[encoded[at]!]!;
        const low = NIBBLES[encoded[at + 1]!]!;
        seen |= high | low;
        ids[to] = (high << 4) | low;
      }
      if (seen > 15) return false;
      at++;
    }
    while (to < idsAt + ID_BYTES) ids[to++] = 0;
    return at === length;
  }

  /** Finds the bounds of every label and decides how its value is kept. @returns a hash of names and kinds */
  #measure(encoded: Uint8Array, length: number): number {
    const bounds = this.#bounds;
    const kinds = this.#kinds;
    let hash = 0x811c9dc5;
    let labels = 0;
    let idBytes = 0;
    let allPacked = true;
    for (let at = 0; at < length; labels++) {
      bounds[4 * labels] = at;
      for (; encoded[at] !== LABEL_SEPARATOR; at++) hash = Math.imul(hash ^ encoded[at]!, 0x01000193);
      bounds[4 * labels + 1] = at++;
      bounds[4 * labels + 2] = at;
      let digits = 0;
      while (NIBBLES[encoded[at + digits]!]! < 16) digits++;
      at += digits;
      const isId = encoded[at] === LABEL_SEPARATOR && (digits === 32 || digits === 16);
      while (encoded[at] !== LABEL_SEPARATOR) at++;
      bounds[4 * labels + 3] = at++;
      kinds[labels] = isId ? digits / 2 : 0;
      idBytes += kinds[labels]!;
      if (!isId) allPacked = false;
    }
    this.#labels = labels;
    if (!allPacked || idBytes > ID_BYTES) this.#leaveRoomForText();
    for (let i = 0; i < labels; i++) hash = Math.imul(hash ^ kinds[i]!, 0x01000193);
    return hash;
  }

  #leaveRoomForText(): void {
    let room = ID_BYTES_BESIDE_TEXT;
    for (let i = 0; i < this.#labels; i++) {
      if (this.#kinds[i]! > room) this.#kinds[i] = 0;
      room -= this.#kinds[i]!;
    }
  }

  #copyText(encoded: Uint8Array, start: number, end: number, text: Uint8Array): void {
    for (let at = start; at < end; at++) text[this.textLength++] = encoded[at]!;
    text[this.textLength++] = LABEL_SEPARATOR;
  }

  #padText(text: Uint8Array): void {
    while (this.textLength % ID_BYTES !== 0) text[this.textLength++] = 0;
  }

  #find(hash: number, encoded: Uint8Array): number {
    const candidates = this.#byHash.get(hash);
    if (candidates !== undefined) {
      for (const number of candidates) if (this.#isShape(this.#shapes[number]!, encoded)) return number;
    }
    return this.#add(hash, encoded, candidates);
  }

  #isShape(shape: Shape, encoded: Uint8Array): boolean {
    if (shape.kinds.length !== this.#labels) return false;
    for (let i = 0; i < this.#labels; i++) {
      if (shape.kinds[i] !== this.#kinds[i]) return false;
      const name = shape.names[i]!;
      const start = this.#bounds[4 * i]!;
      if (name.length !== this.#bounds[4 * i + 1]! - start) return false;
      for (let k = 0; k < name.length; k++) if (name[k] !== encoded[start + k]) return false;
    }
    return true;
  }

  #add(hash: number, encoded: Uint8Array, sameHash: number[] | undefined): number {
    if (this.#shapes.length > this.#maxShapes) return NAMES_AS_TEXT_SHAPE;
    const names = Array.from({ length: this.#labels }, (_, i) =>
      Buffer.from(encoded.slice(this.#bounds[4 * i]!, this.#bounds[4 * i + 1]!)),
    );
    const kinds = Array.from(this.#kinds.subarray(0, this.#labels)) as ValueKind[];
    const jsonNames = names.map((name) => `${jsonString(name.toString('utf8'))}:"`);
    const number = this.#shapes.length;
    this.#shapes.push({ names, kinds, texts: kinds.filter((kind) => kind === 0).length, jsonNames });
    if (sameHash === undefined) this.#byHash.set(hash, [number]);
    else sameHash.push(number);
    this.bytes += 200 + names.reduce((sum, name) => sum + 100 + 2 * name.length, 0);
    return number;
  }
}
