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
    let slot = hashOf(data, start, end) & last;
    for (; slots[slot] !== 0; slot = (slot + 1) & last) {
      const code = slots[slot]! - 1;
      if (isText(this.texts[code]!, data, start, end)) return code;
    }
    slots[slot] = this.texts.push(data.slice(start, end));
    return slots[slot]! - 1;
  }
}

/** FNV-1a, its high bits folded into the low ones. Source: draft-eastlake-fnv. */
function hashOf(data: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function isText(text: Uint8Array, data: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== data[start + i]) return false;
  return true;
}
