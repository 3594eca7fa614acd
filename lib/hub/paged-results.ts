/**
 * How a page of results is written and, by the store itself, read: two lists in JSON. What neighbours have in common is a
 * form, `[group, streamed, status]`; a result is `[place of its form, task id, completion, result, start, end]`, without
 * the last three where its form says all the rest. Most of a page is written while others wait for a processor.
 */
import type { TaskDetails, TaskStatus } from '../compute/service.js';
import type { Task } from './batch.js';

const KEEP_PAGE = 'INSERT INTO result_pages (number, forms, results) VALUES (?, ?, ?)';

/** What a worker says of itself and not of the one task. */
type OfWorker = Exclude<keyof TaskDetails, 'task_transitions' | 'output'>;

const OF_WORKER: Readonly<Record<OfWorker, true>> = {
  os: true,
  python_version: true,
  dill_version: true,
  globus_compute_sdk_version: true,
  endpoint_id: true,
  rerun: true,
};

const SAME = Object.keys(OF_WORKER) as readonly OfWorker[];

/** Gathers the results of one page. */
export class PagedResults {
  readonly #forms: unknown[] = [];
  readonly #results: unknown[] = [];
  /** What the last form is for, if others may share it. */
  #last: { readonly groupId: string; readonly streamed: 0 | 1; readonly details: TaskDetails } | undefined;

  get isEmpty(): boolean {
    return this.#results.length === 0;
  }

  add({ batch: { groupId } }: Task, status: TaskStatus, streamed: 0 | 1): void {
    const { task_id, completion_t, result, details } = status;
    const run = timesOf(status);
    if (run === undefined || details === undefined) {
      this.#last = undefined;
      this.#forms.push([groupId, streamed, { ...status, task_id: undefined, completion_t: undefined }]);
      this.#results.push([this.#forms.length - 1, task_id, completion_t]);
      return;
    }
    const last = this.#last;
    if (last?.groupId !== groupId || last.streamed !== streamed || !isLike(details, last.details)) {
      this.#last = { groupId, streamed, details };
      this.#forms.push([groupId, streamed, { status: status.status, details: { ...details, task_transitions: {} } }]);
    }
    const { 'execution-start': start, 'execution-end': end } = run;
    this.#results.push([this.#forms.length - 1, task_id, completion_t, result, start, end]);
  }

  /** @returns the statement and its values */
  statement(page: number): [sql: string, params: [page: number, forms: string, results: string]] {
    return [KEEP_PAGE, [page, JSON.stringify(this.#forms), JSON.stringify(this.#results)]];
  }
}

/** When a task ran of which nothing else is to be said than its result. */
function timesOf({
  status,
  exception,
  error_code,
  reason,
  result,
  details,
}: TaskStatus): TaskDetails['task_transitions'] {
  const isUsual =
    status === 'success' &&
    result !== undefined &&
    exception === undefined &&
    error_code === undefined &&
    reason === undefined &&
    details?.output === undefined;
  const run = isUsual ? details?.task_transitions : undefined;
  return run?.['execution-start'] === undefined || run['execution-end'] === undefined ? undefined : run;
}

function isLike(details: TaskDetails, last: TaskDetails): boolean {
  for (const name of SAME) if (details[name] !== last[name]) return false;
  return true;
}

const STATUS = `
  CASE json_array_length(entry)
    WHEN 3 THEN json_set(form -> '$[2]', '$.task_id', entry -> '$[1]', '$.completion_t', entry -> '$[2]')
    ELSE json_set(
      form -> '$[2]', '$.task_id', entry -> '$[1]', '$.completion_t', entry -> '$[2]', '$.result', entry -> '$[3]',
      '$.details.task_transitions."execution-start"', entry -> '$[4]',
      '$.details.task_transitions."execution-end"', entry -> '$[5]'
    )
  END`;

/**
 * A query for results of pages: `number, place, task_id, group_id, streamed, ended_at` (Unix milliseconds) and `status`
 * (JSON). Arrows keep numbers digit by digit.
 *
 * @param source a query for entries of pages: `number, place, entry, forms`
 */
export function resultsOf(source: string): string {
  return `
    SELECT
      number, place, entry ->> '$[1]' AS task_id, form ->> '$[0]' AS group_id, form ->> '$[1]' AS streamed,
      CAST(round(1000 * CAST(entry ->> '$[2]' AS REAL)) AS INTEGER) AS ended_at, ${STATUS} AS status
    FROM (SELECT *, forms -> ('$[' || (entry ->> '$[0]') || ']') AS form FROM (${source}))`;
}

/** All entries, for {@link resultsOf}. */
export const ENTRIES = 'SELECT number, key AS place, value AS entry, forms FROM result_pages, json_each(results)';
