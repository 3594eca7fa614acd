/** What `npm start` prints: where to look, the first results as a table, then every anomaly, and Node-RED's complaints. */
import { isVerdict, type MainJob, type Verdict } from './main-job';
import { LEVELS, type LogEntry } from './node-red';

/** So many rows of each verdict are in the table; it is whole when all are there. */
const ROWS: Readonly<Record<Verdict['verdict'], number>> = { learning: 2, normal: 2, anomaly: 1 };

/** The report has been seen when so many anomalies are printed. */
const ANOMALIES = 3;

/** Widths of the table's columns. */
const COLUMNS = [11, 12, 10, 48];

/** Complaints of Node-RED that mean nothing in a directory that is new. */
const HARMLESS = /^(Projects disabled|Encrypted credentials not found)/;

/** What Node-RED says, without calling it a warning, when flows cannot start. */
const MISSING_TYPES = /missing types|^ - /;

export class Report {
  readonly #missing = { ...ROWS };
  #anomalies = 0;
  #results = 0;
  #last = '';

  /** @param seen told when the table and the first anomalies are printed */
  constructor(
    readonly job: MainJob,
    readonly write: (line: string) => void,
    readonly seen: () => void,
  ) {}

  /** Says where to look. */
  introduce(url: string, isMainJob: boolean, userDir: string): void {
    this.#print(`Node-RED with the funcX nodes: ${url}`);
    if (!isMainJob) {
      this.#print(`It runs your own flows, from ${userDir}. Ctrl-C ends it.`);
      return;
    }
    this.#print(`
The main job: two years of measured weather in New York and Seattle arrive as sensor readings, 20 a second.
A Python function compares each with the 45 days before it. Ctrl-C ends it.

${row('station', 'day', 'verdict', 'what Python says', 'Python took')}`);
  }

  /** Takes a result of the main job's function. */
  result(payload: unknown, runMs: number | undefined): void {
    if (!isVerdict(payload)) return;
    if (++this.#results === this.job.readings) setImmediate(() => this.#end());
    const { station, date, verdict, summary } = payload;
    if (this.#missing[verdict] === 0) return;
    this.#missing[verdict]--;
    this.#print(row(station, date, verdict, summary, runMs === undefined ? '' : `${runMs.toFixed(1)} ms`));
    if (this.#isTableWhole()) this.#print('\nThe anomalies, as the debug node "anomalies" writes them into the log:');
  }

  /** Takes a line of Node-RED's log. */
  log({ level, type, name, id, msg }: LogEntry): void {
    const text = msg instanceof Error ? msg.message : String(msg);
    const node = name || id || '';
    if (type === 'debug') this.#debug(node, text);
    else if (level <= LEVELS.warn && !HARMLESS.test(text)) this.#complain(level, type && `${type} ${node}`, text);
    else if (type === undefined && MISSING_TYPES.test(text)) this.#print(text);
  }

  #debug(node: string, text: string): void {
    if (node !== 'anomalies') this.#print(`  ${node}: ${text}`);
    else if (this.#isTableWhole()) {
      this.#print(`  ${text}`);
      if (++this.#anomalies === ANOMALIES) this.seen();
    }
  }

  #complain(level: number, origin: string | undefined, text: string): void {
    this.#print(`${level <= LEVELS.error ? 'error' : 'warning'}: ${origin ? `${origin}: ` : ''}${text}`);
  }

  #isTableWhole(): boolean {
    return Object.values(this.#missing).every((missing) => missing === 0);
  }

  #end(): void {
    this.#print(
      `\nThat was the last of ${this.job.readings} readings; ${this.#anomalies} were out of the ordinary. ` +
        'Press the button of "start" in the flow to see them again.',
    );
    this.#results = 0;
    this.#anomalies = 0;
  }

  /** What fails for each reading is said once. */
  #print(line: string): void {
    if (line === this.#last) return;
    this.#last = line;
    this.write(line);
  }
}

function row(...cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(COLUMNS[index] ?? 0)).join(' ');
}
