/** Which ring belongs to which polygon; the first ring of each is its shell. */
export interface Rings {
  polygonOf: readonly number[];
  isShell: readonly boolean[];
  polygons: number;
}

/**
 * Whether a place is inside any of some polygons, by how often a ray from it crosses each ring: inside an odd number of
 * times by the shell, an even number by each hole.
 */
export class Parity {
  private readonly rings: Rings;
  private readonly odd: Uint8Array;
  private readonly inShell: Uint8Array;
  private readonly inHoles: Uint32Array;
  private around = 0;

  constructor(rings: Rings) {
    this.rings = rings;
    this.odd = new Uint8Array(rings.polygonOf.length);
    this.inShell = new Uint8Array(rings.polygons);
    this.inHoles = new Uint32Array(rings.polygons);
  }

  /** How many polygons the place is inside. */
  get count(): number {
    return this.around;
  }

  clear(): void {
    this.odd.fill(0);
    this.inShell.fill(0);
    this.inHoles.fill(0);
    this.around = 0;
  }

  /** The ray, or a step to the other side of an edge, crosses `ring`. */
  cross(ring: number): void {
    const polygon = this.rings.polygonOf[ring]!;
    this.around -= this.insideOf(polygon);
    this.odd[ring]! ^= 1;
    if (this.rings.isShell[ring]) this.inShell[polygon] = this.odd[ring]!;
    else this.inHoles[polygon]! += this.odd[ring] === 1 ? 1 : -1;
    this.around += this.insideOf(polygon);
  }

  isInShell(polygon: number): boolean {
    return this.inShell[polygon] === 1;
  }

  private insideOf(polygon: number): 0 | 1 {
    return this.inShell[polygon] === 1 && this.inHoles[polygon] === 0 ? 1 : 0;
  }
}
