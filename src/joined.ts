/** Values of one kind, a typed array. */
interface Values<T> {
  readonly length: number;
  set(values: T, at: number): void;
}

/** `whole`, which is as long as `parts` together, with these in it one after another. */
export function joined<T extends Values<T>>(parts: Iterable<T>, whole: T): T {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
