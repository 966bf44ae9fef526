/**
 * Source: PayPal. https://developer.paypal.com/api/rest/webhooks/rest/
 *
 * @module
 */
import { verify, type X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { crc32 } from "node:zlib";
import type { Source } from "../authenticate/authenticator";
import { checkFunction, checkOptions, eitherOf, shown } from "../request/options";
import { certificateFinder, type Fetch } from "./certificates";
import { defineSource, type TimedSourceOptions, type Verify } from "./define-source";
import { checkMoment, fieldReader, memberReader, oneField, unauthorized } from "./facts";

export type PaypalOptions = TimedSourceOptions & {
  /** The webhook's id, as PayPal's dashboard shows it: it is signed, so that deliveries for other webhooks are refused. */
  readonly webhookId: string;
  /**
   * Whose certificates are believed.
   *
   * @defaultValue `"live"`
   */
  readonly mode?: "live" | "sandbox" | undefined;
  /**
   * Fetches certificates. In tests it may be that of `testCertificate`.
   *
   * @defaultValue the global `fetch`
   */
  readonly fetch?: Fetch | undefined;
};

/**
 * Creates the source of PayPal's webhooks: transmission id, time, the webhook's id and the CRC-32 of the body are signed, by a
 * certificate that is fetched from PayPal and kept.
 *
 * **A CRC-32 is no digest:** whoever has seen one delivery can make another body that has the same, and send it until the
 * time is over. Deduplication by `message.key`, with the transmission id as delivery id, keeps out what follows the real one; and where money
 * depends on an event, ask PayPal's API for it by its `id`.
 *
 * The event type is `event_type`, which is as little signed as the body. PayPal sends again up to 25 times within three days,
 * and does not say whether with a new time: `toleranceSeconds` is 345,600 (four days) unless told otherwise.
 *
 * @throws TypeError at start, for a webhook id that is missing or malformed.
 */
export function paypal<Event = unknown>(options: PaypalOptions): Source<Event> {
  checkOptions("paypal", options, ["webhookId", "mode", "fetch", "toleranceSeconds", "now", "only", "ignore"]);

  return defineSource<Event>(
    {
      name: "paypal",
      verify: paypalVerifier(options),
      deliveryId: fieldReader(ID),
      eventType: memberReader("event_type"),
      provenance: { deliveryId: "signed", eventType: "unsigned" },
    },
    options,
  );
}

const ID = "PayPal-Transmission-Id";
const TIME = "PayPal-Transmission-Time";
const CERT_URL = "PayPal-Cert-Url";

/** A real moment in UTC (RFC 3339 section 5.6). Like the id, it must not hold the `|` that parts what is signed. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const TRANSMISSION_ID = /^[\w-]{1,100}$/;
const HOSTS = {
  live: /^https:\/\/api(?:-m)?\.paypal\.com\/v1\/notifications\/certs\/CERT-[\w-]{1,200}$/,
  sandbox: /^https:\/\/api(?:-m)?\.sandbox\.paypal\.com\/v1\/notifications\/certs\/CERT-[\w-]{1,200}$/,
} as const;

function paypalVerifier(options: PaypalOptions): Verify {
  const { webhookId, mode = "live", toleranceSeconds = 345_600, now = Date.now } = options;
  if (typeof webhookId !== "string" || !/^[\w-]{1,100}$/.test(webhookId)) {
    throw new TypeError(`webhookId: ${shown(webhookId)} is not the id of a webhook, such as 1JE4291016473214C.`);
  }
  if (options.fetch !== undefined) checkFunction("fetch", options.fetch);
  const urls = HOSTS[eitherOf("mode", mode, "live", "sandbox")];
  const findCertificate = certificateFinder({ source: "paypal", fetch: options.fetch });

  return async function verifyPaypal({ request, body }) {
    const { id, time, proof, url } = proofOf(request);
    if (!urls.test(url)) {
      throw unauthorized(`${CERT_URL} is none of PayPal's.`, `The mode is ${mode}: is this delivery of the other one?`);
    }
    checkMoment(Date.parse(time), { toleranceSeconds, now });

    const certificate = await findCertificate(url);
    if (!certificate) throw unauthorized(`There is no certificate at ${CERT_URL}.`);
    checkCertificate(certificate, now());
    let sum = 0;
    await body.each((octets) => (sum = crc32(octets, sum)));
    const content = Buffer.from(`${id}|${time}|${webhookId}|${sum}`);
    if (!verify("sha256", content, certificate.publicKey, proof)) {
      throw unauthorized("The signature does not match.", "Is webhookId the id of this webhook, in this mode?");
    }
  };
}

/** RFC 4648 section 4, in its one canonical form: the bits to spare are zero. A key of any size may have signed. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** What the header fields say, each held to its form. @throws HTTPException 401 */
function proofOf(request: IncomingMessage) {
  const id = oneField(request, ID);
  const time = oneField(request, TIME);
  const signature = oneField(request, "PayPal-Transmission-Sig");
  const url = oneField(request, CERT_URL);
  if (oneField(request, "PayPal-Auth-Algo") !== "SHA256withRSA") {
    throw unauthorized("PayPal-Auth-Algo is not SHA256withRSA.");
  }
  if (!TRANSMISSION_ID.test(id)) throw unauthorized(`${ID} is malformed.`);
  if (!MOMENT.test(time) || Number.isNaN(Date.parse(time))) throw unauthorized(`${TIME} is no moment.`);
  if (!BASE64.test(signature)) throw unauthorized("The signature is not base64.");
  return { id, time, proof: Buffer.from(signature, "base64"), url };
}

/** The name that PayPal's own SDKs look for in the certificate. */
const SUBJECT = /^CN=messageverificationcerts\.(?:[a-z0-9-]+\.)*paypal\.com$/m;

/** The certificate comes from PayPal by TLS, which is why its issuer is not looked at. @throws HTTPException 401 */
function checkCertificate({ subject, validFrom, validTo, publicKey }: X509Certificate, now: number): void {
  if (!SUBJECT.test(subject) || publicKey.asymmetricKeyType !== "rsa") {
    throw unauthorized("The certificate is not one for PayPal's messages.");
  }
  if (now < Date.parse(validFrom) || now > Date.parse(validTo)) throw unauthorized("The certificate is not valid now.");
}
