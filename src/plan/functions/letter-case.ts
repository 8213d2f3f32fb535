/** Lower and upper case, letter by letter as in DuckDB: one letter stays one, wherever it stands. */

/** Greek with an iota below, whose upper case JavaScript spells with two letters, so far before that of one. */
const GREEK_8 = /[\u1f80-\u1f87\u1f90-\u1f97\u1fa0-\u1fa7]/;
const GREEK_9 = /[\u1fb3\u1fc3\u1ff3]/;

/** Lower case: JavaScript's, but Σ is σ also at the end of a word, and İ is i. */
export function lowerCase(text: string): string {
  if (!/[\u03a3\u0130]/.test(text)) return text.toLowerCase();
  return Array.from(text, (letter) => (letter === "\u0130" ? "i" : letter.toLowerCase())).join("");
}

/** Upper case: JavaScript's, but letters that it spells with several stay, or have one of their own (ß: ẞ). */
export function upperCase(text: string): string {
  const upper = text.toUpperCase();
  return upper.length === text.length ? upper : Array.from(text, upperLetter).join("");
}

function upperLetter(letter: string): string {
  if (letter === "\u00df") return "\u1e9e";
  if (GREEK_8.test(letter)) return String.fromCharCode(letter.charCodeAt(0) + 8);
  if (GREEK_9.test(letter)) return String.fromCharCode(letter.charCodeAt(0) + 9);
  const upper = letter.toUpperCase();
  return upper.length === letter.length ? upper : letter;
}
