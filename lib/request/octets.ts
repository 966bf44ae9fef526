/**
 * Octets in the pieces in which they came.
 *
 * @module
 */

/** Joined once, for whoever asks; text and hashes are made of the pieces as they are. */
export class Octets {
  #pieces: readonly Buffer[];
  /** How many octets there are. */
  readonly length: number;

  constructor(pieces: readonly Buffer[], length: number) {
    this.#pieces = pieces;
    this.length = length;
  }

  static of(octets: Buffer): Octets {
    return new Octets([octets], octets.length);
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  /** All of them in one. */
  get whole(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces, this.length)];
    return this.#pieces[0] as Buffer;
  }
}
