/** `1.3 GB`: an amount of bytes for people. */
export function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${Math.round(bytes)} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3) - 1);
  return `${(bytes / 1e3 ** (power + 1)).toFixed(1)} ${units[power]}`;
}
