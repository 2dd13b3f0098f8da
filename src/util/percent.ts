/** Percent-encoded text as what it stands for; percent signs that encode nothing stay. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
