/**
 * Signs as each provider does.
 *
 * @module
 */
import { signAwsSns } from "./aws-sns";
import { signCalCom } from "./cal-com";
import { signCalendly } from "./calendly";
import { signClerk } from "./clerk";
import { signCloudEvents } from "./cloudevents";
import { signDiscord } from "./discord";
import { signDropbox } from "./dropbox";
import { signEventGrid } from "./event-grid";
import { signGithub } from "./github";
import { signGitlab } from "./gitlab";
import { signHttpSignatures } from "./http-signatures";
import { signHubspot } from "./hubspot";
import { signLemonSqueezy } from "./lemon-squeezy";
import { signLinear } from "./linear";
import { signMailgun } from "./mailgun";
import { signMeta } from "./meta";
import { signMicrosoftGraph } from "./microsoft-graph";
import { signOpenai } from "./openai";
import { signPaddle } from "./paddle";
import { signPaypal } from "./paypal";
import { signPolar } from "./polar";
import { signRazorpay } from "./razorpay";
import { signReplicate } from "./replicate";
import { signResend } from "./resend";
import { signSanity } from "./sanity";
import { signSendgrid } from "./sendgrid";
import { signSentry } from "./sentry";
import { signShopify } from "./shopify";
import { signSlack } from "./slack";
import type { SignedDelivery, SignPayload } from "./signed";
import { signSquare } from "./square";
import { signStandardWebhooks } from "./standard-webhooks";
import { signStripe } from "./stripe";
import { signTwilio } from "./twilio";
import { signTypeform } from "./typeform";
import { signVercel } from "./vercel";
import { signWoocommerce } from "./woocommerce";
import { signWorkos } from "./workos";
import { signXero } from "./xero";
import { signZoom } from "./zoom";

const signers = {
  awsSns: signAwsSns,
  calCom: signCalCom,
  calendly: signCalendly,
  clerk: signClerk,
  cloudEvents: signCloudEvents,
  discord: signDiscord,
  dropbox: signDropbox,
  eventGrid: signEventGrid,
  github: signGithub,
  gitlab: signGitlab,
  httpSignatures: signHttpSignatures,
  hubspot: signHubspot,
  lemonSqueezy: signLemonSqueezy,
  linear: signLinear,
  mailgun: signMailgun,
  meta: signMeta,
  microsoftGraph: signMicrosoftGraph,
  openai: signOpenai,
  paddle: signPaddle,
  paypal: signPaypal,
  polar: signPolar,
  razorpay: signRazorpay,
  replicate: signReplicate,
  resend: signResend,
  sanity: signSanity,
  sendgrid: signSendgrid,
  sentry: signSentry,
  shopify: signShopify,
  slack: signSlack,
  square: signSquare,
  standardWebhooks: signStandardWebhooks,
  stripe: signStripe,
  twilio: signTwilio,
  typeform: signTypeform,
  vercel: signVercel,
  woocommerce: signWoocommerce,
  workos: signWorkos,
  xero: signXero,
  zoom: signZoom,
} as const;

type Signers = typeof signers;
type RequiredWord<Options> = {
  [Word in keyof Options]-?: undefined extends Options[Word] ? never : Word;
}[keyof Options];

/** The words that a signer cannot do without, where it is not `secret` alone. */
const REQUIRED: {
  readonly [Name in keyof Signers]?: readonly RequiredWord<NonNullable<Parameters<Signers[Name]>[1]>>[];
} = {
  awsSns: ["topicArn"],
  cloudEvents: [],
  discord: ["privateKey"],
  eventGrid: [],
  gitlab: [],
  httpSignatures: ["algorithm", "key", "url"],
  hubspot: ["secret", "url"],
  microsoftGraph: ["clientState"],
  paypal: ["webhookId"],
  sendgrid: ["privateKey"],
  square: ["secret", "url"],
  standardWebhooks: [],
  twilio: ["secret", "url"],
};

/**
 * A signer for each source, by the source's own name: `sign.github(payload, { secret })` makes the header fields and the
 * octets of a delivery as the provider would send it. Times are told by `now`, so that a fake clock may stand.
 *
 * Each throws a `TypeError` that names the option it lacks.
 */
export const sign = Object.fromEntries(
  Object.entries(signers).map(([name, signer]) => [name, checked(name as keyof Signers, signer as Signer)]),
) as unknown as Signers;

type Signer = (payload: SignPayload, options?: object | null) => SignedDelivery;

function checked(name: keyof Signers, signer: Signer): Signer {
  const words: readonly string[] = REQUIRED[name] ?? ["secret"];
  return function sign(payload, options = {}) {
    if (typeof options !== "object" || options === null)
      throw new TypeError(`sign.${name}: the options must be one object.`);
    const missing = words.find((word) => (options as Readonly<Record<string, unknown>>)[word] === undefined);
    if (missing !== undefined) throw new TypeError(`sign.${name}: the option ${missing} is missing.`);
    return signer(payload, options);
  };
}
