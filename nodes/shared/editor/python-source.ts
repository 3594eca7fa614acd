/** The editor for Python source: Monaco or Ace, whichever Node-RED has, with errors on their line. */
import type { SourceError } from './server';

interface Marker {
  readonly severity: number;
  readonly message: string;
  readonly startLineNumber: number;
  readonly startColumn: number;
  readonly endLineNumber: number;
  readonly endColumn: number;
}

interface MonacoModel {
  getLineCount(): number;
  getLineMaxColumn(line: number): number;
}

type MonacoEditor = NodeRedEditor.CodeEditor & { getModel(): MonacoModel | null };

declare global {
  interface Window {
    /** There when Node-RED's code editor is Monaco. */
    monaco?: {
      readonly editor: { setModelMarkers(model: MonacoModel, owner: string, markers: readonly Marker[]): void };
    };
  }
}

/** Monaco's `MarkerSeverity.Error`. */
const ERROR = 8;
const OWNER = 'funcx';

export interface PythonSourceOptions {
  /** Id of the element that becomes the editor. */
  readonly id: string;
  readonly value: string;
  /** Under this name cursor and folds are remembered. */
  readonly stateId: string;
  readonly onChange: () => void;
}

export class PythonSource {
  readonly #editor: NodeRedEditor.CodeEditor;

  constructor(readonly options: PythonSourceOptions) {
    const settings = {
      id: options.id,
      mode: 'ace/mode/python',
      value: options.value,
      stateId: options.stateId,
      focus: false,
      // Monaco's: a dialog is too narrow for it.
      minimap: { enabled: false },
      // Nothing offers any; and the Monaco of Node-RED 4.1 throws when it is closed with them.
      inlineSuggest: { enabled: false },
    };
    this.#editor = RED.editor.createEditor(settings);
    this.#editor.getSession().on('change', options.onChange);
    // Node-RED's plain editor hears of a change only when the field is left.
    if (!isMonaco(this.#editor)) $(`#${options.id}`).on('input', options.onChange);
  }

  get value(): string {
    return this.#editor.getValue();
  }

  /** Shows an error on its line, or none. */
  mark(error: SourceError | undefined): void {
    if (isMonaco(this.#editor)) {
      const model = this.#editor.getModel();
      if (model !== null) window.monaco?.editor.setModelMarkers(model, OWNER, error ? [markerOf(error, model)] : []);
    } else {
      const annotations = error
        ? [{ row: error.line - 1, column: error.column - 1, text: error.message, type: 'error' as const }]
        : [];
      // Node-RED's plain editor has none.
      this.#editor.getSession().setAnnotations?.(annotations);
    }
  }

  /** Puts the cursor where an error is. */
  goTo({ line, column }: SourceError): void {
    // Node-RED's Monaco counts lines from 0 here, Ace from 1.
    this.#editor.gotoLine(isMonaco(this.#editor) ? line - 1 : line, column - 1, false);
    this.#editor.focus();
  }

  /** Opens the source in a large editor of its own. */
  expand(title: string): void {
    RED.editor.editText({
      title,
      mode: 'python',
      value: this.value,
      width: 'Infinity',
      stateId: this.options.stateId,
      focus: true,
      cursor: this.#editor.getCursorPosition(),
      complete: (value) => {
        this.#editor.setValue(value, -1);
        this.#refocus();
      },
      cancel: () => this.#refocus(),
    });
  }

  /** @param height in pixels */
  resize(height: number): void {
    $(`#${this.options.id}`).css('height', `${height}px`);
    this.#editor.resize();
  }

  destroy(): void {
    this.#editor.destroy();
  }

  /** After the large editor has slid away. */
  #refocus(): void {
    window.setTimeout(() => {
      RED.tray.resize();
      this.#editor.focus();
    }, 250);
  }
}

function isMonaco(editor: NodeRedEditor.CodeEditor): editor is MonacoEditor {
  return window.monaco !== undefined && 'getModel' in editor;
}

/** From where the error is to the end of its line. */
function markerOf({ line, column, message }: SourceError, model: MonacoModel): Marker {
  const last = Math.min(Math.max(line, 1), model.getLineCount());
  const end = model.getLineMaxColumn(last);
  const start = Math.min(Math.max(column, 1), Math.max(end - 1, 1));
  return {
    severity: ERROR,
    message,
    startLineNumber: last,
    startColumn: start,
    endLineNumber: last,
    endColumn: Math.max(end, start + 1),
  };
}
