/** Remembers the latest of the times that it is told, milliseconds since 1970: an `onModified`. */
export class Latest {
  time: number | undefined;

  readonly note = (time: number): void => {
    if (this.time === undefined || time > this.time) this.time = time;
  };
}
