/** A node that lets everybody in, against what parses JSON elsewhere: 50 connections, kept alive. */
const { comparison, meansOf } = require("../comparison");
const { FULL, matrix, QUICK } = require("../inputs");
const { measure } = require("../rounds");
const { wantedContenders, wantedInputs } = require("../settings");
const { shown } = require("../table");

const CONTENDERS = [
  "ours",
  "express.json",
  "express.json, res.json",
  "fastify",
  "node:http",
  "express skeleton",
  "express floor",
];
const FEW = ["ours", "express.json", "fastify", "node:http"];

/**
 * @param {import("../settings").Settings} settings
 * @returns {Promise<import("../run").Section>}
 */
async function run(settings) {
  const inputs = wantedInputs(matrix(settings.quick ? QUICK : FULL), settings);
  const contenders = wantedContenders(settings.quick ? FEW : CONTENDERS, settings);
  const { measured, peakRssBytes } = await measure(contenders, inputs, settings);
  const peaks = Object.entries(peakRssBytes);
  return {
    tables: [
      ...comparison("50 connections", measured),
      {
        caption: "Peak resident memory over all of it, MiB",
        head: ["", ...peaks.map(([name]) => name)],
        rows: [["MiB", ...peaks.map(([, bytes]) => shown(bytes / 1_048_576))]],
      },
    ],
    data: { measured, means: meansOf(measured), peakRssBytes },
  };
}

module.exports = { run };
