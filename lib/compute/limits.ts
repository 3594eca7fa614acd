/**
 * The stated limits of the service, enforced by the embedded hub as well so that a flow behaves alike on both.
 * Source: Globus Compute documentation, "Limits", and the constants of the SDK and endpoint 4.15.
 */

/** Largest submission: a function's code, or all packed arguments of one request. Unit: bytes of UTF-8. */
export const MAX_SUBMISSION_BYTES = 10 * 1024 * 1024;

/** Largest serialized result. Unit: characters (the worker measures the serialized text). */
export const MAX_RESULT_CHARS = 10 * 1024 * 1024;

/** Longest function name. Unit: characters. */
export const MAX_FUNCTION_NAME_CHARS = 1024;

/** Most task ids in one `batch_status` request, as the Python SDK asks. */
export const MAX_STATUS_IDS = 128;

/** A task is abandoned after this long without activity, and so is its result. Unit: milliseconds (two weeks). */
export const TASK_RETENTION_MS = 14 * 24 * 3600 * 1000;

/** Most results of a function search that can be paged through: offset + limit. */
export const MAX_SEARCH_WINDOW = 10_000;

/** Longest `stdout` and `stderr` kept of one task (of the beginning and of the end, half each). Unit: bytes. The hub's own. */
export const MAX_OUTPUT_BYTES = 64 * 1024;
