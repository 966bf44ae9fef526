/**
 * Password hashes: makes them with scrypt (RFC 7914), and verifies those of scrypt, bcrypt and Argon2.
 *
 * @module
 */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";
import { promisify } from "node:util";
import { retryAfter, WebhookError } from "../errors";
import { checkFunction, checkOptions, positiveInteger, text } from "../request/options";
import { bounded, type Bounded } from "./bounded";
import { orUnavailable } from "./unavailable";

/** Tells whether a password is the one that a hash was made of. */
export type VerifyPassword = (password: string, hash: string) => boolean | Promise<boolean>;

/** Tells whether a password is the one of the hash that the verifier was made for. */
export type PasswordVerifier = (password: string) => Promise<boolean>;

/** What scrypt costs, by the words of the PHC string format. It takes `128 * 2**ln * r` bytes. */
export type HashPasswordOptions = {
  /**
   * The cost, as a power of two.
   *
   * @defaultValue `14`
   */
  readonly ln?: number | undefined;
  /**
   * The size of a block.
   *
   * @defaultValue `8`
   */
  readonly r?: number | undefined;
  /**
   * How many times it is done.
   *
   * @defaultValue `5`
   */
  readonly p?: number | undefined;
};

type Scrypt = { readonly ln: number; readonly r: number; readonly p: number };

// One of the equally strong settings of OWASP's Password Storage Cheat Sheet: the one that takes 16 MiB.
const DEFAULTS: Scrypt = { ln: 14, r: 8, p: 5 };

/** Beyond these, a hash costs more than a request may: it is refused while the server starts. */
const MAX_BYTES = 256 * 1_048_576;
const MAX_SCRYPT_P = 16;
const MAX_BCRYPT_COST = 15;
const MAX_ARGON2_T = 32;

/** How long an app's own `verify` may take. */
const VERIFY_MS = 10_000;

/** All that bcrypt reads of a password. */
const BCRYPT_BYTES = 72;

// The PHC string format: https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const ARGON2 =
  /^\$argon2(?:id|i|d)\$v=19\$((?:[a-z]+=[A-Za-z0-9+/]*,){2,4}[a-z]+=[A-Za-z0-9+/]*)\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Hashing takes a thread of Node's pool, which files, compression and name look-ups need too: half of it is left to them. */
const POOL_THREADS = Number(process.env["UV_THREADPOOL_SIZE"]) || 4;

/** Runs the verifying of this process, half of the threads at once. */
const hashing = passwordQueue(Math.max(1, Math.floor(POOL_THREADS / 2)));

/** Creates a bound for checks of passwords. Beyond 64 that wait, it is `ERR_WEBHOOK_BUSY` (503). */
function passwordQueue(atOnce: number): Bounded {
  return bounded({
    atOnce,
    waiting: 64,
    busy: () =>
      new WebhookError("ERR_WEBHOOK_BUSY", "Too many passwords are being checked; send the delivery again.", {
        headers: retryAfter(),
        advice: "Somebody may be trying passwords. Senders whose password was found right lately are not held up.",
      }),
  });
}

/**
 * Makes a hash of a password, with a salt of its own, in the PHC string form: `$scrypt$ln=14,r=8,p=5$salt$hash`.
 *
 * @throws TypeError for a password that is empty, and for costs that a request could not bear.
 */
export async function hashPassword(password: string, options: HashPasswordOptions = {}): Promise<string> {
  checkOptions("hashPassword", options, Object.keys(DEFAULTS));
  text("password", password);
  const { ln = DEFAULTS.ln, r = DEFAULTS.r, p = DEFAULTS.p } = options;
  const cost = { ln: positiveInteger("ln", ln), r: positiveInteger("r", r), p: positiveInteger("p", p) };
  checkScrypt(cost);
  const salt = randomBytes(16);
  return phcString(cost, salt, await deriveKey(password, salt, 32, cost));
}

/**
 * Tells whether a password is the one that a hash was made of, by scrypt, or by bcrypt or Argon2 where one of their packages
 * is installed. Where many ask at once they wait for their turn, and those beyond 64 are refused with `ERR_WEBHOOK_BUSY`.
 *
 * @throws TypeError for a hash of another form.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  return passwordVerifier(hash)(password);
}

/** A hash that no password is known for. */
export function unknownHash(): string {
  return phcString(DEFAULTS, randomBytes(16), randomBytes(32));
}

/**
 * Makes the verifier of one hash, told by its form. What is none of the forms known here is for `verify`, which also takes
 * the place of the packages for bcrypt and Argon2.
 *
 * @throws TypeError for a form that nobody verifies. It does not show the hash, which may be a password by mistake.
 */
export function passwordVerifier(hash: string, verify?: VerifyPassword): PasswordVerifier {
  const scryptHash = SCRYPT.exec(text("hash", hash));
  if (scryptHash) return scryptVerifier(scryptHash);
  if (verify) return async (password) => (await verify(prepared(password), hash)) === true;
  const bcryptHash = BCRYPT.exec(hash);
  if (bcryptHash) return bcryptVerifier(hash, Number(bcryptHash[1]));
  const argon2Hash = ARGON2.exec(hash);
  if (argon2Hash) return argon2Verifier(hash, argon2Hash[1] as string);
  throw new TypeError(
    "hash: it has none of the forms $scrypt$ln=..., $2b$..., $argon2id$v=19$...; make one with hashPassword(), or pass verify.",
  );
}

function scryptVerifier([, ln, r, p, salt, hash]: readonly string[]): PasswordVerifier {
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  checkScrypt(cost);
  const saltOctets = Buffer.from(salt as string, "base64");
  const wanted = Buffer.from(hash as string, "base64");
  return (password) =>
    hashing(async () => timingSafeEqual(await deriveKey(password, saltOctets, wanted.length, cost), wanted));
}

function bcryptVerifier(hash: string, cost: number): PasswordVerifier {
  if (cost > MAX_BCRYPT_COST) throw tooDear(`a cost of ${cost}, and not ${MAX_BCRYPT_COST} at most`);
  const bcrypt = peer("bcrypt", ["bcrypt", "bcryptjs"]) as BcryptPeer;
  // PHP and htpasswd write $2y$ for what others write $2b$ for.
  const known = hash.replace("$2y$", "$2b$");
  return async (password) => {
    const secret = prepared(password);
    // bcrypt leaves out the rest, so junk behind a right password of 72 octets would pass.
    if (Buffer.byteLength(secret) > BCRYPT_BYTES) return false;
    return hashing(() => bcrypt.compare(secret, known));
  };
}

function argon2Verifier(hash: string, parameters: string): PasswordVerifier {
  // The format has an order for them, which not every maker of hashes keeps to.
  const costs = new Map(parameters.split(",").map((pair) => pair.split("=", 2) as [string, string]));
  const [kibibytes, passes] = [Number(costs.get("m")), Number(costs.get("t"))];
  if (!(kibibytes * 1024 <= MAX_BYTES && passes <= MAX_ARGON2_T)) {
    throw tooDear(`m=${kibibytes},t=${passes}, and not m=${MAX_BYTES / 1024},t=${MAX_ARGON2_T} at most`);
  }
  const argon2 = peer("Argon2", ["argon2", "@node-rs/argon2"]) as Argon2Peer;
  return (password) => hashing(() => argon2.verify(hash, prepared(password)));
}

/** The one function called of `bcrypt` and of `bcryptjs`. */
type BcryptPeer = { compare(password: string, hash: string): Promise<boolean> };
/** The one function called of `argon2` and of `@node-rs/argon2`. */
type Argon2Peer = { verify(hash: string, password: string): Promise<boolean> };

/** Loads the first of some optional peers that is installed. */
function peer(form: string, names: readonly [string, ...string[]]): unknown {
  for (const name of names) {
    try {
      return require(name);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new TypeError(`hash: verifying ${form} needs a package: npm install ${names[0]}, or pass verify.`);
}

function deriveKey(password: string, salt: Buffer, octets: number, { ln, r, p }: Scrypt): Promise<Buffer> {
  const N = 2 ** ln;
  return derive(prepared(password), salt, octets, { N, r, p, maxmem: 128 * r * (N + p + 2) });
}

// RFC 8265 section 4.2.1: other spaces are spaces, and letters are composed.
function prepared(password: string): string {
  return password.replace(/\p{Zs}/gu, " ").normalize("NFC");
}

function checkScrypt({ ln, r, p }: Scrypt): void {
  if (128 * 2 ** ln * r > MAX_BYTES) throw tooDear(`more than ${MAX_BYTES / 1_048_576} MiB`);
  if (ln < 1 || r < 1 || p < 1 || p > MAX_SCRYPT_P) throw tooDear(`p=${p}, and not p=1 to p=${MAX_SCRYPT_P}`);
}

function tooDear(what: string): TypeError {
  return new TypeError(`hash: verifying it would take ${what}: too much for a request. Make one with hashPassword().`);
}

function phcString({ ln, r, p }: Scrypt, salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
}

function unpadded(octets: Buffer): string {
  return octets.toString("base64").replace(/=+$/, "");
}

/**
 * Bounds an app's own `verify`: how much of it runs at once, and for how long. If it fails, the delivery is refused with
 * `ERR_WEBHOOK_KEYS` (503).
 *
 * @throws TypeError at start, for anything but a function.
 */
export function boundedVerify(verify: VerifyPassword): (password: string, hash: string) => Promise<boolean> {
  checkFunction("verify", verify);
  // A queue of its own: whoever hangs holds up nobody else.
  const run = passwordQueue(POOL_THREADS);
  return (password, hash) =>
    run(() => orUnavailable("The function in verify has failed.", () => inTime(verify(password, hash))));
}

/** Frees the place of what does not settle. The request itself has been answered by then. */
async function inTime<T>(work: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`verify had not settled after ${VERIFY_MS} ms.`)), VERIFY_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
