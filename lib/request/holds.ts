/**
 * What goes on for a request after its answer, and keeps its octets: an emitter that was not waited for any longer.
 *
 * @module
 */

/** A promise that nobody can settle any more is collected, and holds nothing. */
const forgotten = new FinalizationRegistry<() => void>((letGo) => letGo());

export class Holds {
  /** Each work, and what lets it go: that one must not lead back to the work, or it would never be collected. */
  #works: Map<Promise<unknown>, () => void> | undefined;
  #callbacks: (() => void)[] | undefined;
  #left = 0;
  #isDone = false;

  /** Holds until `work` settles, or can settle no more. */
  add(work: Promise<unknown>): void {
    const letGo = this.#hold();
    const settled = (): void => {
      this.#works?.delete(work);
      letGo();
    };
    work.then(settled, settled);
    if (this.#isDone) forgotten.register(work, letGo);
    else (this.#works ??= new Map()).set(work, letGo);
  }

  // In a scope of its own: functions made in one scope share what any of them has captured.
  #hold(): () => void {
    let isHeld = true;
    this.#left++;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#left--;
      this.#tell();
    };
  }

  /** The request is over: only works hold from here on. */
  done(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#works?.forEach((letGo, work) => forgotten.register(work, letGo));
    this.#works = undefined;
    this.#tell();
  }

  /** Calls back once nothing holds any more, now if that is so already. */
  whenReleased(callback: () => void): void {
    if (this.#callbacks) this.#callbacks.push(callback);
    else this.#callbacks = [callback];
    this.#tell();
  }

  #tell(): void {
    if (!this.#isDone || this.#left > 0) return;
    const callbacks = this.#callbacks;
    this.#callbacks = undefined;
    callbacks?.forEach((callback) => callback());
  }
}
