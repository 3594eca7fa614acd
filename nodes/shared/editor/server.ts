/** What the dialogs ask of the runtime. URLs are relative, so that Node-RED adds its root and the user's token. */

export type PythonAnswer =
  | { readonly found: true; readonly executable: string; readonly version: string; readonly dill: string | null }
  | { readonly found: false; readonly message: string };

export type ParameterKind = 'positional-only' | 'positional' | 'var-positional' | 'keyword' | 'var-keyword';

export interface Parameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** Source text of the default; absent where the caller must give a value. */
  readonly default?: string;
  /** Source text of the annotation. */
  readonly annotation?: string;
}

export interface FunctionSignature {
  readonly name: string;
  /** Line of the `def`, the first being 1. */
  readonly line: number;
  readonly doc: string;
  readonly async: boolean;
  readonly parameters: readonly Parameter[];
}

export interface SourceError {
  /** The first line is 1. */
  readonly line: number;
  /** The first column is 1. */
  readonly column: number;
  readonly message: string;
}

/** What the interpreter sees in a source text: its top-level functions in order, or its first error. */
export type SourceReport =
  | { readonly ok: true; readonly functions: readonly FunctionSignature[] }
  | { readonly ok: false; readonly error: SourceError };

/** Source text, and which interpreter reads it: that of a path, else that of a deployed client, else `python3`. */
export interface SourceQuestion {
  readonly code: string;
  readonly python?: string;
  readonly client?: string;
}

export interface Endpoint {
  readonly uuid: string;
  readonly name: string;
  readonly display_name?: string | null;
  /** `online`, `offline`, … as the service names it. */
  readonly status: string;
}

export interface FunctionHit {
  readonly function_uuid: string;
  readonly function_name: string;
  readonly description?: string | null;
}

/** Which Python a client would use. @param path what the field says; empty for `python3` */
export function askPython(path: string): Promise<PythonAnswer> {
  return answerOf($.getJSON('funcx/python', { path }));
}

/** Has the real interpreter read a source text; nothing of it is run. */
export function askInspect(question: SourceQuestion): Promise<SourceReport> {
  return answerOf(
    $.ajax({
      url: 'funcx/inspect',
      method: 'POST',
      contentType: 'application/json',
      dataType: 'json',
      data: JSON.stringify(question),
    }),
  );
}

/** Functions that a deployed client finds. @param client id of the config node */
export async function askFunctions(client: string, q: string): Promise<readonly FunctionHit[]> {
  const page = await answerOf<{ readonly results?: readonly FunctionHit[] }>(
    $.getJSON('funcx/functions', { client, q }),
  );
  return page.results ?? [];
}

/** Endpoints that a deployed client knows. @param client id of the config node */
export function askEndpoints(client: string): Promise<readonly Endpoint[]> {
  return answerOf($.getJSON('funcx/endpoints', { client }));
}

/** @throws Error with a sentence for a person */
function answerOf<Answer>(request: JQuery.jqXHR): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.then(
      (answer: Answer) => resolve(answer),
      (failed: JQuery.jqXHR) => reject(new Error(reasonOf(failed))),
    );
  });
}

function reasonOf({ status, responseJSON }: JQuery.jqXHR): string {
  const said: unknown = (responseJSON as { message?: unknown } | undefined)?.message;
  if (typeof said === 'string') return said;
  if (status === 0) return RED._('@funcx/node-red-funcx/funcx-client:shared.server.unreachable');
  if (status === 401 || status === 403) return RED._('@funcx/node-red-funcx/funcx-client:shared.server.not-allowed');
  return RED._('@funcx/node-red-funcx/funcx-client:shared.server.failed', { status });
}
