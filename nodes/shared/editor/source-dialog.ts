/** The part of the function dialog that is about Python: the editor, what the interpreter says, the entry point. */
import { storedValue, textIn } from './form';
import { updateUsers } from './function-users';
import { Latest } from './latest';
import { PythonSource } from './python-source';
import type { SourceQuestion, SourceReport } from './server';
import { entryPointIn, namesByLooks, signatureText } from './signature';
import { knownReport, questionFor, reportOn } from './source-reports';

type FunctionNode = NodeRedEditor.NodeInstance<{ name: string; code: string; entryPoint: string; problem: string }>;

/** Time in which nothing is typed, before the interpreter reads the source. Unit: milliseconds. */
const PAUSE = 500;
/** Of the editor. Unit: pixels. */
const LEAST_HEIGHT = 160;
/** Below each row of the dialog. Unit: pixels. */
const MARGIN = 12;

export class SourceDialog {
  /** Client whose interpreter reads the source: that of the dialog below, or of a node that runs the function. */
  readonly clientId: string;
  readonly #source: PythonSource;
  readonly #latest: Latest<SourceQuestion, SourceReport>;
  // Kept, because the form leaves the page while the large editor is open.
  readonly #code = $('#node-config-input-code');
  readonly #problem = $('#node-config-input-problem');
  readonly #entryPoint = $('#node-config-input-entryPoint');
  readonly #check = $('.funcx-check');
  readonly #signature = $('.funcx-signature');
  readonly #message = $('.funcx-problem');
  #report: SourceReport | undefined;
  /** Functions in the source, the last time that it had any. */
  #names: readonly string[] = [];
  /** The entry point as it was chosen. */
  #chosen: string;

  constructor(readonly node: FunctionNode) {
    this.clientId = clientOf(node);
    this.#chosen = node.entryPoint ?? '';
    this.#latest = new Latest(reportOn, (report) => this.#show(report), PAUSE);
    this.#source = new PythonSource({
      id: 'funcx-source',
      value: node.code ?? '',
      stateId: `${node.id}/code`,
      onChange: () => this.#changed(PAUSE),
    });
    const expand = $('#funcx-source-expand');
    RED.popover.tooltip(expand, RED._('node-red:common.label.expand'));
    expand.on('click', (event) => {
      event.preventDefault();
      this.#source.expand(RED._('@funcx/node-red-funcx/funcx-function:funcx-function.palette'));
    });
    this.#offer(namesByLooks(this.#source.value));
    this.#entryPoint.on('change', () => {
      this.#chosen = String(this.#entryPoint.val() ?? '');
      this.#showSignature();
    });
    this.#changed(0);
  }

  /** Writes the source and what is known of it into the form. */
  save(): void {
    const question = this.#question();
    const report = this.#report;
    this.#code.val(question.code);
    this.#problem.val(problemIn(report));
    this.close();
    if (textIn('node-config-input-mode') !== 'code') return;
    if (report === undefined) {
      this.#offer(namesByLooks(question.code));
      this.#saveLater(question);
    } else {
      const signature = entryPointIn(report, this.#chosen);
      if (signature !== undefined) updateUsers(this.node.users ?? [], signature);
    }
  }

  close(): void {
    this.#latest.stop();
    this.#source.destroy();
  }

  /** Gives the editor what the other rows leave. @param height of the form, in pixels */
  resize(height: number): void {
    const row = $('.funcx-source-row');
    const others = row.siblings('.form-row:visible').toArray();
    const options = row.siblings('details:visible');
    const folded = (options.find('summary').outerHeight(true) ?? 0) + MARGIN;
    const taken = others.reduce((sum, element) => sum + ($(element).outerHeight(true) ?? 0), 0);
    const check = this.#check.outerHeight(true) ?? 0;
    this.#source.resize(Math.max(LEAST_HEIGHT, height - taken - folded - check - MARGIN));
  }

  #question(): SourceQuestion {
    return questionFor(this.#source.value, this.clientId);
  }

  /** @param pause before the interpreter is asked, in milliseconds */
  #changed(pause: number): void {
    const question = this.#question();
    const known = knownReport(question);
    this.#code.val(question.code).trigger('change');
    if (known === undefined) {
      this.#report = undefined;
      this.#check.attr('data-state', 'checking');
      this.#latest.request(question, pause);
    } else {
      this.#latest.stop();
      this.#show(known);
    }
  }

  #show(report: SourceReport | Error): void {
    if (report instanceof Error) {
      this.#check.attr('data-state', 'unchecked');
      this.#source.mark(undefined);
      this.#offer(namesByLooks(this.#source.value));
      this.#say(RED._('@funcx/node-red-funcx/funcx-function:funcx-function.unchecked', { reason: report.message }));
    } else {
      this.#showReport(report);
    }
  }

  #showReport(report: SourceReport): void {
    this.#report = report;
    const problem = problemIn(report);
    this.#problem.val(problem).trigger('change');
    this.#check.attr('data-state', problem === '' ? 'ok' : 'error');
    this.#source.mark(report.ok ? undefined : report.error);
    this.#say(problem);
    if (report.ok) this.#offer(report.functions.map(({ name }) => name));
    this.#showSignature();
  }

  /** Offers functions as entry point. One that got another name in its place is followed; else the last is taken. */
  #offer(names: readonly string[]): void {
    if (names.length > 0) {
      if (!names.includes(this.#chosen)) this.#chosen = renamed(this.#names, names, this.#chosen) ?? '';
      this.#names = names;
    }
    const options = names.map((name) => $('<option>').val(name).text(name));
    this.#entryPoint.empty().append(options).val(this.#chosen);
  }

  #showSignature(): void {
    const found = this.#report && entryPointIn(this.#report, this.#chosen);
    const text = found === undefined ? '' : signatureText(found);
    this.#signature.text(text).attr('title', text);
  }

  #say(problem: string): void {
    const area = this.#message.empty();
    const report = this.#report;
    if (problem === '' || report === undefined || report.ok) {
      area.text(problem);
      return;
    }
    const { error } = report;
    const link = $('<a href="#">').text(problem).appendTo(area);
    link.on('click', (event) => {
      event.preventDefault();
      this.#source.goTo(error);
    });
  }

  /** The dialog was closed before the interpreter answered: the answer is for the node. */
  #saveLater(question: SourceQuestion): void {
    reportOn(question).then(
      (report) => {
        const node = RED.nodes.node(this.node.id);
        if (node === null || node === undefined || storedValue(node, 'code') !== question.code) return;
        Object.assign(node, { problem: problemIn(report) });
        RED.editor.validateNode(node);
        const found = entryPointIn(report, String(storedValue(node, 'entryPoint') ?? ''));
        if (found !== undefined) updateUsers(node.users ?? [], found);
        for (const user of node.users ?? []) RED.editor.validateNode(user);
        RED.view.redraw();
      },
      () => {},
    );
  }
}

/** What is wrong with a source text, in a sentence; empty when nothing is, or when it is not known. */
function problemIn(report: SourceReport | undefined): string {
  if (report === undefined) return '';
  if (!report.ok) {
    const { line, message } = report.error;
    return RED._('@funcx/node-red-funcx/funcx-function:funcx-function.invalid.line', { line, message });
  }
  return report.functions.length > 0
    ? ''
    : RED._('@funcx/node-red-funcx/funcx-function:funcx-function.invalid.no-function');
}

/** The name that took the place of a function which is gone; the last of the names where that cannot be told. */
function renamed(before: readonly string[], now: readonly string[], gone: string): string | undefined {
  const place = before.indexOf(gone);
  return before.length === now.length && place >= 0 ? now[place] : now.at(-1);
}

/** That of a node whose dialog is open, else of a node that uses the function, else the first. */
function clientOf(node: FunctionNode): string {
  for (const user of [...RED.editor.getEditStack(), ...(node.users ?? [])]) {
    const client = (user as { readonly client?: unknown }).client;
    if (typeof client === 'string' && client !== '') return client;
  }
  let first = '';
  RED.nodes.eachConfig((config) => {
    if (config.type === 'funcx-client') first ||= config.id;
  });
  return first;
}
