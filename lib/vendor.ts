/**
 * Packages published as ES modules only. The build bundles them into this one CommonJS file: a node set that
 * `require()`s an ES module fails on Node-RED 5 when another node set imports the same one at the same moment
 * (`ERR_REQUIRE_ESM_RACE_CONDITION`), and on Node.js releases that cannot `require()` ES modules at all.
 */
export { AbortError, default as pRetry } from 'p-retry';
