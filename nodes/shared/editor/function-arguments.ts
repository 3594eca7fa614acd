/** The arguments in a dialog: rows made from the parameters of the chosen function, which follow when it changes. */
import { ArgumentList } from './argument-list';
import { type ArgumentRow, freeRows, rowsFor } from './argument-rows';
import { type ChosenSource, chosenFunction, FUNCTION_FIELDS } from './chosen-function';
import { Latest } from './latest';
import type { FunctionSignature, Parameter, SourceReport } from './server';
import { entryPointIn } from './signature';
import { knownReport, reportOn } from './source-reports';

/**
 * - `none`: no function is chosen
 * - `reading`: the interpreter is asked for the parameters
 * - `known`: one row a parameter
 * - `free`: the parameters cannot be known; rows can be added
 * - `unknown`: the parameters could not be read; what was there stays
 */
type State = 'none' | 'reading' | 'known' | 'free' | 'unknown';

export class FunctionArguments {
  readonly #list: ArgumentList;
  readonly #box = $('#node-input-args-box');
  readonly #hint = $('.funcx-arguments-hint');
  readonly #latest: Latest<ChosenSource, SourceReport>;
  /** What was given to parameters of any function chosen since the dialog opened. */
  readonly #remembered = new Map<string, ArgumentRow>();
  /** Of the parameters that are shown; a report that says the same changes nothing. */
  #shown = '';
  #state: State = 'none';

  constructor(readonly stored: readonly ArgumentRow[]) {
    this.#list = new ArgumentList(this.#box.find('.funcx-arguments-list'));
    this.#latest = new Latest(
      ({ question }) => reportOn(question),
      (report, chosen) => this.#follow(report, chosen),
      0,
    );
    this.#remember(stored);
    $(FUNCTION_FIELDS).on('change', () => this.#look());
    this.#look();
  }

  /** The rows to store. Without a function, those that were there. */
  rows(): readonly ArgumentRow[] {
    return this.#state === 'none' ? this.stored : this.#list.rows();
  }

  /** The dialog closes. What is still being read is given to `late`, unless the rows are there already. */
  close(late?: (rows: ArgumentRow[]) => void): void {
    this.#latest.stop();
    const chosen = chosenFunction();
    if (late === undefined || this.#state !== 'reading' || typeof chosen === 'string' || this.rows().length > 0) return;
    reportOn(chosen.question).then(
      (report) => {
        const found = entryPointIn(report, chosen.entryPoint);
        if (found !== undefined) late(rowsFor(found.parameters, []));
      },
      () => {},
    );
  }

  #look(): void {
    this.#remember(this.#list.rows());
    this.#latest.stop();
    const chosen = chosenFunction();
    if (chosen === 'id') this.#showFree();
    else if (chosen === 'none') this.#showNone();
    else this.#read(chosen);
  }

  #read(chosen: ChosenSource): void {
    const report = knownReport(chosen.question);
    if (report !== undefined) {
      this.#follow(report, chosen);
    } else {
      if (this.#state !== 'known') {
        this.#showStored('reading', RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.reading'));
      }
      this.#latest.request(chosen);
    }
  }

  #follow(report: SourceReport | Error, { entryPoint }: ChosenSource): void {
    if (report instanceof Error) {
      const { message } = report;
      this.#showStored(
        'unknown',
        RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.unread', { reason: message }),
      );
    } else if (!report.ok) {
      const { line, message } = report.error;
      const text = RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.wrong-source', { line, message });
      this.#showStored('unknown', text);
    } else {
      this.#showSignature(entryPointIn(report, entryPoint));
    }
  }

  #showSignature(found: FunctionSignature | undefined): void {
    if (found === undefined) {
      this.#showStored('unknown', RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.no-entry-point'));
    } else {
      this.#showParameters(found.parameters, 'known');
      this.#say('known', sayOf(found));
    }
  }

  #showParameters(parameters: readonly Parameter[], state: State): void {
    const shown = JSON.stringify(parameters);
    if (this.#shown === shown && this.#state !== 'free' && this.#state !== 'none') return;
    this.#remember(this.#list.rows());
    this.#shown = shown;
    if (parameters.length === 0) this.#list.clear();
    else this.#list.showKnown(parameters, rowsFor(parameters, [...this.#remembered.values()]));
    this.#state = state;
  }

  /** The rows that were stored, as long as nothing better is known. */
  #showStored(state: 'reading' | 'unknown', text: string): void {
    if (this.#state === 'none' || this.#state === 'free') {
      if (this.stored.length > 0) this.#showParameters(this.stored.map(parameterOf), state);
      else this.#list.clear();
    }
    if (state === 'unknown' && this.#list.rows().length === 0) {
      this.#shown = '';
      this.#list.showFree([]);
    }
    this.#say(state, text);
  }

  #showFree(): void {
    if (this.#state !== 'free') {
      const rows = this.#list.rows();
      this.#list.showFree(freeRows(rows.length > 0 ? rows : this.stored));
      this.#shown = '';
    }
    this.#say('free', RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.free'));
  }

  #showNone(): void {
    this.#list.clear();
    this.#shown = '';
    this.#say('none', RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.choose'));
  }

  #say(state: State, text: string): void {
    this.#state = state;
    this.#box.attr('data-state', state);
    this.#hint.text(text);
  }

  #remember(rows: readonly ArgumentRow[]): void {
    for (const row of rows) if (row.name !== '') this.#remembered.set(row.name, row);
  }
}

/** A sentence for a function whose parameters are shown: its own, the first of its docstring. */
function sayOf({ doc, parameters }: FunctionSignature): string {
  if (parameters.length === 0) return RED._('@funcx/node-red-funcx/funcx-client:shared.parameters.none');
  return doc.split('\n', 1)[0] || '\u00a0';
}

/** What can be told of a parameter from its row alone. */
function parameterOf({ name, kind, type }: ArgumentRow): Parameter {
  return type === '' ? { name, kind, default: '…' } : { name, kind };
}
