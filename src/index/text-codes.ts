import { hash, isText } from "../table/texts.ts";

/** A number for each different text of a column, found by its bytes, without a string for each row. */
export class TextCodes {
  /** In the order they came. */
  readonly texts: Uint8Array[] = [];
  /** Code and 1 more at the place that a text's hash names, or at the next that was free. */
  readonly #slots: Uint32Array;

  /** @param most different texts; more of them make looking up slow */
  constructor(most: number) {
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(4 * most + 4)));
  }

  /** The code of the text `data[start…end)`, a new one where it comes for the first time. */
  codeOf(data: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    const found = hash(data, start, end);
    // Its high bits folded into the low ones.
    let slot = (found ^ (found >>> 15)) & last;
    for (; slots[slot] !== 0; slot = (slot + 1) & last) {
      const code = slots[slot]! - 1;
      if (isText(this.texts[code]!, data, start, end)) return code;
    }
    slots[slot] = this.texts.push(data.slice(start, end));
    return slots[slot]! - 1;
  }
}
