/** What repeated measurements of one thing say. */
export interface Summary {
  n: number;
  min: number;
  mean: number;
  sd: number;
  median: number;
  max: number;
}

/** Summary of measurements, at least one. */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1);
  const median = (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
  return { n, min: sorted[0]!, mean, sd: Math.sqrt(variance), median, max: sorted[n - 1]! };
}

/** A number with about three digits that count: `0.0312`, `4.57`, `1,204`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
