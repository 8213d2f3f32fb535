import type { HttpAnswer } from "./request.ts";

/** Times in headers are whole seconds. */
const SECOND = 1000;
/** Servers that make their answers up say of them that they are as new as the answer. */
const YOUNG = 2 * SECOND;

/** Tells when values were written by the clock of this machine, whatever a server's own clock shows. */
export class ServerClock {
  /** What to add to a server's times: not too much by any answer so far, which soon stays the same. */
  #ahead = Number.NEGATIVE_INFINITY;
  /** More than this it cannot be. */
  #most = Number.POSITIVE_INFINITY;

  /**
   * When what came was last written, milliseconds since 1970: never later than it was, and earlier by little more than a
   * second after some answers. `undefined`: the server does not say, a browser hides it, or it is too young to believe.
   *
   * @param began when the answer was asked for, milliseconds since 1970
   */
  modified({ headers, status, tries }: HttpAnswer, began: number): number | undefined {
    const [written, sent] = ["last-modified", "date"].map((name) => Date.parse(headers.get(name) ?? ""));
    // A cache between gives the date of the answer that it keeps, and its age (RFC 9111, 5.1).
    const age = Number(headers.get("age") ?? 0) * SECOND;
    if (tries === 1 && age >= 0) this.#set(began - (sent! + age) - SECOND, Date.now() - (sent! + age));
    const known = status < 300 && written! + YOUNG <= sent! && Number.isFinite(this.#ahead);
    return known ? written! + this.#ahead : undefined;
  }

  /** What is to be added lies between these. */
  #set(least: number, most: number): void {
    // Set meanwhile, or some date before was that of an answer that a cache had kept and not said so.
    if (most < this.#ahead) [this.#ahead, this.#most] = [least, most];
    // Such an answer.
    if (least > this.#most) return;
    if (least > this.#ahead) this.#ahead = least;
    if (most < this.#most) this.#most = most;
  }
}
