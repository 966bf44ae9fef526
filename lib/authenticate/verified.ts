/**
 * Remembers for a while which credentials were found right, so that a hot sender does not pay for its password each time.
 *
 * @module
 */
import { fingerprint } from "./fingerprint";

export type VerifiedOptions = {
  /** How long credentials are remembered, in seconds. 0 is not at all. */
  readonly cacheSeconds: number;
  /** How many are remembered: the least recently used goes first. */
  readonly maxEntries: number;
};

/**
 * Tells whether credentials are right: from memory, or by `verify`, which runs once for all who ask meanwhile.
 *
 * Nothing but a fingerprint is kept of them. Only right ones are kept: of wrong ones there is no end.
 */
export type Verified = (credentials: readonly string[], verify: () => Promise<boolean>) => Promise<boolean>;

/** Creates a memory of right credentials. */
export function verified({ cacheSeconds, maxEntries }: VerifiedOptions): Verified {
  /** Fingerprints, least recently used first, and until when they hold. */
  const known = new Map<string, number>();
  const underWay = new Map<string, Promise<boolean>>();

  const isKnown = (key: string): boolean => {
    const until = known.get(key);
    if (until === undefined) return false;
    known.delete(key);
    if (until <= performance.now()) return false;
    known.set(key, until);
    return true;
  };
  const remember = (key: string): void => {
    if (cacheSeconds === 0) return;
    known.set(key, performance.now() + cacheSeconds * 1000);
    if (known.size > maxEntries) known.delete(known.keys().next().value as string);
  };
  const verifyOnce = async (key: string, verify: () => Promise<boolean>): Promise<boolean> => {
    try {
      const isRight = await verify();
      if (isRight) remember(key);
      return isRight;
    } finally {
      underWay.delete(key);
    }
  };

  return async function isVerified(credentials, verify) {
    const key = fingerprint(JSON.stringify(credentials)).toString("base64");
    if (isKnown(key)) return true;
    let running = underWay.get(key);
    if (!running) {
      running = verifyOnce(key, verify);
      underWay.set(key, running);
    }
    return running;
  };
}
