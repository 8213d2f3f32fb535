import type { HttpAnswer } from "./request.ts";

/** Times in headers are whole seconds. */
const SECOND = 1000;
/** Servers that make their answers up say of them that they are as new as the answer. */
const YOUNG = 2 * SECOND;

/** Tells when values were written by the clock of this machine, whatever a server's own clock shows. */
export class ServerClock {
  /** What to add to a server's times. Found once, so that a value's time stays the same. */
  #ahead: number | undefined;

  /**
   * When what came was last written, milliseconds since 1970: never later than it was, and earlier by no more than two
   * seconds and the time that the first answer took. `undefined`: the server does not say, a browser hides it, or it is
   * too young to believe.
   *
   * @param began when the answer was asked for, milliseconds since 1970
   */
  modified({ headers, status, tries }: HttpAnswer, began: number): number | undefined {
    const [written, sent] = ["last-modified", "date"].map((name) => Date.parse(headers.get(name) ?? ""));
    if (status >= 300 || !(written! + YOUNG <= sent!)) return undefined;
    // A cache between gives the date of the answer that it keeps, and its age (RFC 9111, 5.1).
    const age = Number(headers.get("age") ?? 0) * SECOND;
    if (tries === 1 && age >= 0) this.#ahead ??= began - (sent! + age) - SECOND;
    return this.#ahead === undefined ? undefined : written! + this.#ahead;
  }
}
