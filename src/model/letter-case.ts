/**
 * Upper and lower case as Go's `strings.ToUpper` and `ToLower` have them: letter by letter, each to one letter.
 * JavaScript's own make `SS` of `ß`, and of a sigma what its place in the word asks for.
 */

export function upperCase(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapLetters(text, upperLetter);
}

export function lowerCase(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapLetters(text, lowerLetter);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

function mapLetters(text: string, map: (letter: string) => string): string {
  let mapped = '';
  for (const letter of text) mapped += map(letter);
  return mapped;
}

function upperLetter(letter: string): string {
  const upper = letter.toUpperCase();
  return isOneLetter(upper) ? upper : (titleCaseOfGreek(letter) ?? letter);
}

function lowerLetter(letter: string): string {
  // Turkish I with a dot is the one letter of which JavaScript makes two.
  if (letter === 'İ') return 'i';
  return letter.toLowerCase();
}

/** Greek letters with an iota below have a capital of one letter, which JavaScript writes as two. */
function titleCaseOfGreek(letter: string): string | undefined {
  const code = letter.codePointAt(0)!;
  if (code >= 0x1f80 && code <= 0x1faf) return String.fromCodePoint(code | 8);
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9);
  return undefined;
}

function isOneLetter(text: string): boolean {
  return text.length === (text.codePointAt(0)! > 0xffff ? 2 : 1);
}
