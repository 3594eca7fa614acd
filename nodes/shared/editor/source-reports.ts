/** What the interpreter said about source texts, kept while the page is open, so that dialogs know it at once. */
import { storedValue } from './form';
import { askInspect, type SourceQuestion, type SourceReport } from './server';
import { isEnvironment } from './validators';

const MOST_KEPT = 100;

declare global {
  interface Window {
    /** Every dialog is a script of its own; what they share is kept here. */
    funcxSourceReports?: Map<string, SourceReport>;
  }
}

function reports(): Map<string, SourceReport> {
  window.funcxSourceReports ??= new Map();
  return window.funcxSourceReports;
}

/** The question for a source text that a client's interpreter will run. @param clientId may be empty */
export function questionFor(code: string, clientId: string): SourceQuestion {
  const client = clientId === '' ? null : RED.nodes.node(clientId);
  if (client === null || client === undefined) return { code };
  const python = storedValue(client, 'python');
  if (isEnvironment(python)) return { code, client: clientId };
  return typeof python === 'string' && python !== '' ? { code, python } : { code };
}

/** The report, if it was asked for before. */
export function knownReport(question: SourceQuestion): SourceReport | undefined {
  return reports().get(keyOf(question));
}

export async function reportOn(question: SourceQuestion): Promise<SourceReport> {
  const known = knownReport(question);
  if (known !== undefined) return known;
  const report = await askInspect(question);
  const kept = reports();
  const [oldest] = kept.keys();
  if (kept.size >= MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(keyOf(question), report);
  return report;
}

function keyOf({ code, python = '', client = '' }: SourceQuestion): string {
  return JSON.stringify([python, client, code]);
}
