/** How much text functions make: a query of a line must not take all memory there is. */
import { ZarrsiftError } from "../../errors.ts";

/** Longest text that a function makes of shorter ones. */
export const MOST_LETTERS = 10_000;

/** Letters that `||`, concat() and concat_ws() join at once, in a batch of rows. */
const MOST_JOINED = 2 ** 26;

/** @throws ZarrsiftError `sql_type` for a text that would be longer than all it is made of, and `MOST_LETTERS` */
export function checkLetters(length: number | bigint, of: number): void {
  if (length <= Math.max(MOST_LETTERS, of)) return;
  throw new ZarrsiftError("sql_type", `A text of ${length} letters is longer than ${MOST_LETTERS}`);
}

/** Counts the letters of one batch. */
export class Joined {
  #letters = 0;

  /** @throws ZarrsiftError `sql_type` */
  take(text: string): string {
    this.#letters += text.length;
    if (this.#letters <= MOST_JOINED) return text;
    throw new ZarrsiftError(
      "sql_type",
      `||, concat() and concat_ws() join at most ${MOST_JOINED} letters at once; join fewer or shorter texts`,
    );
  }
}
