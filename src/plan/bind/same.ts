/** Whether two bound expressions say the same, wherever they stand in the text. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const names = (value: object) => Object.keys(value).filter((name) => name !== "at");
  const own = names(a);
  return (
    own.length === names(b).length &&
    own.every((name) => same(a[name as keyof typeof a], b[name as keyof typeof b]))
  );
}
