/** Branded integers, so that a series number can never be passed where a slot or a label pair is meant. */

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Number of a series in the store. Reused after the series was forgotten. */
export type SeriesRef = Branded<'series'>;

/** Numbers of series start at 1, so that a table of zeros is empty. */
export const NO_SERIES = 0 as SeriesRef;

/** Number of an interned label pair, a name with a value. */
export type PairRef = Branded<'pair'>;

/** Number of an exemplar slot in the slab. */
export type SlotRef = Branded<'slot'>;
