/**
 * Step: says how the body is to be read: which content codings are undone, and within which limits.
 *
 * It reads nothing by itself. What the fields alone give away is refused here, before an octet of the body is read.
 *
 * @module
 */
import { DEFAULT_LIMITS, maxSentBytes, refuseDeclared, type BodyLimits } from "../request/body-limits";
import { codingsOf, decoderOf, DEFAULT_CODINGS, type ContentCoding } from "../request/content-coding";
import { checkOptions, positiveInteger, shown } from "../request/options";
import { step, type Step } from "../request/step";

export type DecompressOptions = {
  /**
   * Largest body let through, in bytes, counted with content codings undone.
   *
   * A larger one is refused with `ERR_WEBHOOK_BODY_TOO_LARGE`: 413, RFC 9110 section 15.5.14.
   *
   * @defaultValue `1_048_576` (1 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Largest body let through as sent, in bytes, where it has a content coding. 413 as above.
   *
   * @defaultValue `maxBytes` and 64 KiB more, for what does not compress
   */
  readonly maxEncodedBytes?: number | undefined;
  /**
   * Deepest nesting of arrays and objects in a JSON body. Refused with `ERR_WEBHOOK_JSON_DEPTH`: 400, before it is parsed.
   *
   * @defaultValue `128`
   */
  readonly maxDepth?: number | undefined;
  /**
   * Content codings undone (RFC 9110 section 8.4.1); `x-gzip` goes with `gzip`. Others are refused with
   * `ERR_WEBHOOK_CONTENT_CODING`: 415 with `Accept-Encoding`. `"zstd"` may be added where Node has it.
   *
   * @defaultValue `["br", "deflate", "gzip"]`
   */
  readonly codings?: readonly ContentCoding[] | undefined;
};

/**
 * Creates the step that sets how `delivery(req).body` reads. Without it, the defaults hold.
 *
 * @throws TypeError at start, for a number that is no limit, or a coding that this Node cannot undo.
 */
export function decompress(options: DecompressOptions = {}): Step {
  checkOptions("decompress", options);
  const { codings = DEFAULT_CODINGS } = options;
  if (!Array.isArray(codings)) throw new TypeError(`codings: ${shown(codings)} is not a list of content codings.`);
  codings.forEach(decoderOf);
  const accepted = [...(codings as readonly ContentCoding[])];
  const limits = limitsOf(options);

  return step(function decompress(record) {
    record.limits = limits;
    record.codings = codingsOf(record.request, accepted);
    refuseDeclared(record.framing, maxSentBytes(limits, record.codings));
  });
}

function limitsOf({
  maxBytes = DEFAULT_LIMITS.maxBytes,
  maxEncodedBytes = maxBytes + 65_536,
  maxDepth = DEFAULT_LIMITS.maxDepth,
}: DecompressOptions): BodyLimits {
  return {
    maxBytes: positiveInteger("maxBytes", maxBytes),
    maxEncodedBytes: positiveInteger("maxEncodedBytes", maxEncodedBytes),
    maxDepth: positiveInteger("maxDepth", maxDepth),
  };
}
