/**
 * Step: lets through JSON by media type, and answers 415 to the rest.
 *
 * @module
 */
import mime from "mime-types";
import { WebhookError } from "../errors";
import { isJsonMediaType, parseContentType } from "../request/content-type";
import { cameTwice } from "../request/field-lines";
import { checkOptions, shown } from "../request/options";
import type { SourceTraits } from "../request/source";
import { step, type Step } from "../request/step";
import { isCharset } from "../request/text";

export type ContentTypeGateOptions = {
  /**
   * Media types let through besides `application/json` and those that end in `+json`: whole (`text/json`), or by file
   * extension (`.geojson`). Parameters are not compared. Their content is parsed as JSON all the same.
   *
   * @defaultValue `[]`
   */
  readonly mediaTypes?: readonly string[] | undefined;
};

/**
 * Creates a gate on the `Content-Type` field, read by its whole grammar (RFC 9110 section 8.3.1). What is not JSON, not
 * one well-formed media type, or missing is refused with `ERR_WEBHOOK_CONTENT_TYPE`: 415 with `Accept`. A charset other
 * than UTF-8, UTF-16, UTF-32 and US-ASCII is refused with `ERR_WEBHOOK_CHARSET`: 415.
 *
 * @throws TypeError at start, for a media type that is none or an extension that is not known.
 */
export function contentTypeGate(
  options: ContentTypeGateOptions & { readonly source?: SourceTraits | undefined } = {},
): Step {
  checkOptions("contentTypeGate", options);
  const { mediaTypes = [], source } = options;
  if (!Array.isArray(mediaTypes)) throw new TypeError(`mediaTypes: ${shown(mediaTypes)} is not a list of media types.`);
  const others = new Set(mediaTypes.map(mediaTypeOf));
  const headers = { Accept: ["application/json", "*/*+json", ...others].join(", ") };

  return step(function contentTypeGate(record) {
    const { request, contentType } = record;
    if (
      !contentType ||
      !(isJsonMediaType(contentType.mediaType) || others.has(contentType.mediaType)) ||
      cameTwice(request, "content-type")
    ) {
      throw new WebhookError(
        "ERR_WEBHOOK_CONTENT_TYPE",
        "The content type must be application/json, or end in +json.",
        {
          headers,
          advice: `The sender's content type is ${JSON.stringify(request.headers["content-type"] ?? "missing")}; ${remedy(contentType?.mediaType, source)}.`,
        },
      );
    }
    if (contentType.charset !== undefined && !isCharset(contentType.charset)) {
      throw new WebhookError("ERR_WEBHOOK_CHARSET", "The charset is not supported; send UTF-8.", {
        headers,
        advice: `The sender's charset is ${JSON.stringify(contentType.charset)}; set it there (content type: application/json).`,
      });
    }
  });
}

function remedy(mediaType = "", source: SourceTraits | undefined): string {
  const option = source?.accepts?.optional?.[mediaType];
  const atSender = "set it there (content type: application/json)";
  return option === undefined ? atSender : `let it in by ${option} of the source ${source?.name}, or ${atSender}`;
}

function mediaTypeOf(option: unknown): string {
  if (typeof option === "string") {
    const found = option.includes("/") ? option : mime.lookup(option);
    const parsed = parseContentType(found === false ? undefined : found);
    if (parsed) return parsed.mediaType;
  }
  throw new TypeError(
    `mediaTypes: ${shown(option)} is neither a media type such as "text/json" nor a known extension such as ".geojson".`,
  );
}
