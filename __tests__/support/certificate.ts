/**
 * Makes X.509 certificates (RFC 5280) for tests, with nothing but Node: an authority, and what it has issued.
 *
 * @module
 */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

export type Certificate = {
  /** In PEM. */
  readonly key: string;
  /** In PEM. */
  readonly cert: string;
};

/** What is not as it is by default. */
export type CertificateOptions = {
  /** Who issues it. Absent, it is an authority that vouches for itself. */
  readonly issuer?: (Certificate & { readonly name: string }) | undefined;
  readonly notAfter?: Date | undefined;
  /** The kind of its key. An RSA key needs an issuer, for authorities sign with ECDSA here. */
  readonly kind?: "ec" | "rsa" | undefined;
};

const OID_ECDSA_SHA256 = "06082a8648ce3d040302"; // RFC 5758 section 3.2
const OID_COMMON_NAME = "0603550403"; // RFC 5280 appendix A.1
const OID_ALT_NAME = "0603551d11"; // RFC 5280 section 4.2.1.6
const OID_CONSTRAINTS = "0603551d13"; // RFC 5280 section 4.2.1.9

/** Makes a certificate for a name, with a key of its own. It is good for `localhost` and 127.0.0.1. */
export function makeCertificate(name: string, { issuer, notAfter, kind = "ec" }: CertificateOptions = {}): Certificate {
  const { publicKey, privateKey } =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuerKey: KeyObject = issuer ? createPrivateKey(issuer.key) : privateKey;
  const algorithm = der(0x30, hex(OID_ECDSA_SHA256));
  const extension = (oid: string, value: Buffer): Buffer => der(0x30, hex(oid), der(0x04, value));
  const alternatives = der(0x30, der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])));

  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    der(0x30, time(new Date("2024-01-01")), time(notAfter ?? new Date("2049-01-01"))),
    distinguishedName(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      der(
        0x30,
        extension(OID_ALT_NAME, alternatives),
        extension(OID_CONSTRAINTS, der(0x30, ...(issuer ? [] : [der(0x01, Buffer.from([0xff]))]))),
      ),
    ),
  );
  const signature = sign("sha256", body, issuerKey);
  const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** A value of DER (X.690 section 8.1): its tag, its length, and its contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}

function distinguishedName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, hex(OID_COMMON_NAME), der(0x0c, Buffer.from(name)))));
}

/** UTCTime, as RFC 5280 section 4.1.2.5.1 has it for years before 2050. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(digits.slice(2)));
}

function hex(octets: string): Buffer {
  return Buffer.from(octets, "hex");
}
