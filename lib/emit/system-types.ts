/**
 * The message types of the system: their names begin with `echo.`.
 *
 * @module
 */
import type { Message } from "../message";

const text = { type: "string", minLength: 1 };

/** The members of a payload that a schema has found to be an object. */
function members({ payload }: Message): Record<string, never> {
  return payload as Record<string, never>;
}

export const SYSTEM_TYPES = [
  {
    name: "echo.json",
    description: "Any JSON (RFC 8259).",
    mediaTypes: ["application/json"],
    sampleMessage: '{"id":1}',
  },
  {
    name: "echo.text",
    description: "Any text, JSON among it.",
    mediaTypes: ["text/plain"],
    sampleMessage: '"text"',
  },
  {
    name: "echo.cloudevents-json",
    description: "One event in the JSON format of CloudEvents 1.0.",
    mediaTypes: ["application/cloudevents+json"],
    // CloudEvents 1.0.2 sections "Context Attributes" and JSON event format section 3.
    schema: {
      type: "object",
      required: ["id", "source", "specversion", "type"],
      properties: {
        id: text,
        source: { ...text, format: "uri-reference" },
        specversion: { const: "1.0" },
        type: text,
        datacontenttype: text,
        dataschema: { ...text, format: "uri" },
        subject: text,
        time: { type: "string", format: "date-time" },
        data_base64: { type: "string", format: "byte" },
      },
      not: { required: ["data", "data_base64"] },
    },
    auditor(message: Message) {
      const { id, source, type, subject } = members(message);
      return { id, source, type, subject };
    },
    sampleMessage: '{"specversion":"1.0","id":"1","source":"/orders","type":"order.placed","data":{"id":1}}',
  },
  {
    name: "echo.fhir-json",
    description: "One resource of HL7 FHIR, as JSON.",
    mediaTypes: ["application/fhir+json"],
    // FHIR R5, "JSON Representation of Resources": resourceType names the resource; id is of the type id.
    schema: {
      type: "object",
      required: ["resourceType"],
      properties: {
        resourceType: { type: "string", pattern: "^[A-Z][A-Za-z]+$" },
        id: { type: "string", pattern: "^[A-Za-z0-9.-]{1,64}$" },
      },
    },
    auditor(message: Message) {
      const { resourceType, id } = members(message);
      return { resource_type: resourceType, id };
    },
    sampleMessage: '{"resourceType":"Patient","id":"example"}',
  },
  {
    name: "echo.file",
    description: "A file that has been stored elsewhere.",
    mediaTypes: ["application/json"],
    schema: {
      type: "object",
      required: ["contentLength", "contentType", "modificationDateTime", "name"],
      properties: {
        contentLength: { type: "integer", minimum: 0 },
        contentType: text,
        modificationDateTime: text,
        name: text,
      },
    },
    auditor(message: Message) {
      const { contentLength, contentType, modificationDateTime, name } = members(message);
      return {
        content_length: contentLength,
        content_type: contentType,
        modification_datetime: modificationDateTime,
        name,
      };
    },
    sampleMessage:
      '{"contentLength":12,"contentType":"text/csv","modificationDateTime":"2026-01-31T12:00:00Z","name":"orders.csv"}',
  },
  {
    name: "echo.geo-json",
    description: "One object of GeoJSON (RFC 7946).",
    mediaTypes: ["application/geo+json"],
    // RFC 7946 sections 1.4 and 3.
    schema: {
      type: "object",
      required: ["type"],
      properties: {
        type: {
          enum: [
            "Feature",
            "FeatureCollection",
            "GeometryCollection",
            "LineString",
            "MultiLineString",
            "MultiPoint",
            "MultiPolygon",
            "Point",
            "Polygon",
          ],
        },
        bbox: { type: "array", items: { type: "number" }, minItems: 4 },
      },
    },
    auditor(message: Message) {
      const { type, id } = members(message);
      return { type, id };
    },
    sampleMessage: '{"type":"Point","coordinates":[13.4,52.5]}',
  },
  // Known by name, so that a node which is to emit one says why it cannot.
  { name: "echo.csv", description: "Comma-separated values (RFC 4180).", mediaTypes: ["text/csv"] },
  { name: "echo.hl7", description: "HL7 version 2.", mediaTypes: ["application/hl7-v2"] },
  { name: "echo.toml", description: "TOML.", mediaTypes: ["application/toml"] },
  { name: "echo.xml", description: "XML (RFC 7303).", mediaTypes: ["application/xml", "text/xml"] },
  { name: "echo.yaml", description: "YAML (RFC 9512).", mediaTypes: ["application/yaml"] },
];
