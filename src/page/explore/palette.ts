import { MAX_GROUPS } from './groups.js';

export type Rgb = readonly [red: number, green: number, blue: number];

const rgb = (hex: string): Rgb => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as never;
const palette = (...hexes: string[]): readonly Rgb[] => hexes.map(rgb);

/**
 * Groups without an order: neighbours differ in lightness too, for those who see colours differently. All
 * have a contrast of 3:1 and more with the ground.
 */
const NAMED = {
  light: palette(
    ...[
      '1d6fd6',
      'c2500a',
      '0f7f5c',
      '9c1f66',
      '6b4fd0',
      '7a5c00',
      '0a7f96',
      'd0312d',
      '283593',
      '5f7a1f',
      'b04ac4',
    ],
  ),
  dark: palette(
    ...[
      '6cb0ff',
      'ff9d57',
      '45d09b',
      'ff7fb8',
      'b6a0ff',
      'e3c04d',
      '4fd3ea',
      'ff8a80',
      '8fa8e8',
      'b5d66b',
      'e79bf5',
    ],
  ),
};

/** Groups from low to high, as buckets: from cold to hot. */
const ORDERED = {
  light: palette(
    ...[
      '0d0887',
      '3a049a',
      '5c01a6',
      '7e03a8',
      '9c179e',
      'b12a90',
      'c33d80',
      'd14e72',
      'd95b4e',
      'd9652f',
      'd0700f',
      'b57a00',
    ],
  ),
  dark: palette(
    ...[
      '7f7bff',
      '9773fb',
      'ad6bf4',
      'c463e6',
      'd65fd0',
      'e75fb4',
      'f26896',
      'f7777c',
      'fa8a64',
      'fba150',
      'f9bd48',
      'f3df55',
    ],
  ),
};

const OTHER = { light: rgb('6b7280'), dark: rgb('9aa4b2') };

/** A colour for each group. */
export function groupColors(
  groups: readonly { readonly key: string }[],
  isOrdered: boolean,
  isDark: boolean,
): Rgb[] {
  const ground = isDark ? 'dark' : 'light';
  return groups.map(({ key }, index) => {
    if (key === 'other' || key === 'absent') return OTHER[ground];
    if (!isOrdered) return NAMED[ground][index % NAMED[ground].length]!;
    const last = Math.max(1, groups.length - 1);
    return ORDERED[ground][Math.round((index * (MAX_GROUPS - 1)) / last)]!;
  });
}

export function cssColor([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}
