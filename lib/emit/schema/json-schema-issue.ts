/**
 * What ajv's errors come to: where, and what was expected there, as the schema has it.
 *
 * @module
 */
import type { ErrorObject } from "ajv";
import { issueOf, oneOf, type SchemaIssue } from "./issue";

/** Makes an issue of an error. Of its parameters, those that the payload has a say in are names of members alone. */
export function jsonSchemaIssue({
  instancePath,
  keyword,
  params,
  propertyName,
  message = "",
}: ErrorObject): SchemaIssue {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (propertyName !== undefined) return issueOf([...path, propertyName], `the name ${message}`);

  const { allowedValues, allowedValue, additionalProperty, unevaluatedProperty } = params as Members;
  switch (keyword) {
    case "enum":
      return issueOf(path, oneOf(allowedValues));
    case "const":
      return issueOf(path, oneOf([allowedValue]));
    case "additionalProperties":
      return issueOf([...path, additionalProperty], "must not be present");
    case "unevaluatedProperties":
      return issueOf([...path, unevaluatedProperty], "must not be present");
    case "false schema":
      return issueOf(path, "must not be present");
  }
  return issueOf(path, message);
}

type Members = {
  readonly allowedValues: readonly unknown[];
  readonly allowedValue: unknown;
  readonly additionalProperty: string;
  readonly unevaluatedProperty: string;
};
