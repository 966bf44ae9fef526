/**
 * Reads a `Content-Type` field by its whole grammar (RFC 9110 section 8.3.1), so that nothing hides behind a good beginning.
 *
 * @module
 */

export type ContentType = {
  /** Type and subtype in lower case, without parameters. */
  readonly mediaType: string;
  /** The `charset` parameter in lower case, quotes undone. */
  readonly charset?: string;
};

// RFC 9110 section 5.6.2: token = 1*tchar. The wildcard is no media type (section 12.5.1), so "*" is left out of this one.
const MEDIA_TYPE = /^[ \t]*([!#$%&'+\-.^_`|~0-9A-Za-z]+\/[!#$%&'+\-.^_`|~0-9A-Za-z]+)/;
// RFC 9110 section 5.6.6: parameters = *( OWS ";" OWS [ parameter ] ), with quoted-string of section 5.6.4 less obs-text.
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[\t !#-[\]-~]|\\[\t -~])*)"))?/y;
const TRAILING_SPACE = /[ \t]*$/y;

const JSON_TYPE: ContentType = { mediaType: "application/json" };

/** Reads one field value. Returns `undefined` if it is anything but exactly one media type. Never throws. */
export function parseContentType(value: string | undefined): ContentType | undefined {
  if (value === undefined) return undefined;
  if (value === "application/json") return JSON_TYPE;
  const type = MEDIA_TYPE.exec(value);
  if (!type?.[1]) return undefined;

  let charset: string | undefined;
  let at = type[0].length;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const parameter = PARAMETER.exec(value);
    if (!parameter) break;
    at = PARAMETER.lastIndex;
    if (parameter[1]?.toLowerCase() !== "charset") continue;
    // Two charsets leave the text in doubt: readers differ in which one they take.
    if (charset !== undefined) return undefined;
    charset = (parameter[2] ?? parameter[3]?.replace(/\\(.)/g, "$1") ?? "").toLowerCase();
  }
  TRAILING_SPACE.lastIndex = at;
  if (!TRAILING_SPACE.test(value)) return undefined;

  const mediaType = type[1].toLowerCase();
  return charset === undefined ? { mediaType } : { mediaType, charset };
}

/** Whether a media type (lower case) is JSON by name: `application/json`, or a subtype with the suffix of RFC 6839. */
export function isJsonMediaType(mediaType: string): boolean {
  return mediaType === "application/json" || mediaType.endsWith("+json");
}
