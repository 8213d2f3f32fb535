/** Segments by strips of latitude, as one packed list. */
export class Strips {
  private readonly south: number;
  private readonly perDegree: number;
  private readonly count: number;
  private readonly starts: Uint32Array;
  private readonly items: Uint32Array;

  constructor(segments: Float64Array, south: number, north: number) {
    this.count = Math.min(512, Math.max(1, segments.length >> 4));
    this.south = south;
    this.perDegree = north > south ? this.count / (north - south) : 0;
    const slack = 1e-9 * (Math.abs(south) + Math.abs(north) + 1);
    const starts = new Uint32Array(this.count + 1);
    const each = (put: (strip: number, segment: number) => void) => {
      for (let i = 0; i < segments.length; i += 4) {
        const low = Math.min(segments[i + 1]!, segments[i + 3]!) - slack;
        const high = Math.max(segments[i + 1]!, segments[i + 3]!) + slack;
        for (let k = this.stripOf(low); k <= this.stripOf(high); k++) put(k, i >> 2);
      }
    };
    each((strip) => starts[strip + 1]!++);
    for (let k = 0; k < this.count; k++) starts[k + 1]! += starts[k]!;
    const items = new Uint32Array(starts[this.count]!);
    const next = starts.slice();
    each((strip, segment) => {
      items[next[strip]!++] = segment;
    });
    this.starts = starts;
    this.items = items;
  }

  /** Numbers of segments that may touch latitudes `low` to `high`, each at least once, perhaps more. */
  passing(low: number, high: number): Uint32Array {
    return this.items.subarray(this.starts[this.stripOf(low)]!, this.starts[this.stripOf(high) + 1]!);
  }

  private stripOf(y: number): number {
    const strip = Math.floor((y - this.south) * this.perDegree);
    return strip < 0 ? 0 : strip >= this.count ? this.count - 1 : strip;
  }
}
