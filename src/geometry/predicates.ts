import type { Matrix } from "./relate.ts";

/** The named relations of two shapes, the first to the second: `within`: the first is within the second. */
export const PREDICATES = [
  "intersects",
  "disjoint",
  "within",
  "contains",
  "covers",
  "coveredBy",
  "touches",
  "crosses",
  "overlaps",
  "equals",
] as const;

export type Predicate = (typeof PREDICATES)[number];

/** Matrix places by name: interior, boundary, exterior of the first, then of the second. */
const [II, IB, IE, BI, BB, BE, EI, EB] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/**
 * Whether `predicate` holds, after OGC 06-103r4, 6.1.15, as GEOS decides it.
 *
 * @param dimensionA, dimensionB of the shapes, -1 for an empty one.
 */
export function holds(predicate: Predicate, m: Matrix, dimensionA: number, dimensionB: number): boolean {
  const has = (place: number) => m[place]! >= 0;
  const meet = has(II) || has(IB) || has(BI) || has(BB);
  const noneOfA = !has(IE) && !has(BE);
  const noneOfB = !has(EI) && !has(EB);
  switch (predicate) {
    case "intersects":
      return meet;
    case "disjoint":
      return !meet;
    case "within":
      return has(II) && noneOfA;
    case "contains":
      return has(II) && noneOfB;
    case "coveredBy":
      return meet && noneOfA;
    case "covers":
      return meet && noneOfB;
    case "touches":
      return meet && !has(II);
    case "equals":
      return noneOfA && noneOfB && dimensionA === dimensionB;
    case "overlaps":
      if (dimensionA !== dimensionB || !has(IE) || !has(EI)) return false;
      return dimensionA === 1 ? m[II] === 1 : has(II);
    case "crosses":
      if (dimensionA === 1 && dimensionB === 1) return m[II] === 0;
      if (dimensionA === dimensionB) return false;
      return has(II) && (dimensionA < dimensionB ? has(IE) : has(EI));
  }
}
