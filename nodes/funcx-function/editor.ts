import { showOnly } from '../shared/editor/form';
import { functionsFor } from '../shared/editor/function-choice';
import { labelStyle, shortId } from '../shared/editor/labels';
import { prepareOptions } from '../shared/editor/options-section';
import { SourceDialog } from '../shared/editor/source-dialog';
import { onlyIf, uuid } from '../shared/editor/validators';

interface Properties {
  name: string;
  mode: 'code' | 'id';
  code: string;
  entryPoint: string;
  functionId: string;
  description: string;
  public: boolean;
  group: string;
  /** A task that was interrupted is run again. */
  repeatable: boolean;
  /** What the interpreter has against the code; empty when nothing. Kept, so that the node stays marked. */
  problem: string;
}

const TEMPLATE = `def hello(name):
    """Write your own function here."""
    import platform

    version = platform.python_version()
    return f"Hello {name} from Python {version}"
`;

let dialog: SourceDialog | undefined;

RED.nodes.registerType<Properties>('funcx-function', {
  category: 'config',
  defaults: {
    name: { value: '' },
    mode: { value: 'code' },
    code: {
      value: TEMPLATE,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function'),
      validate: onlyIf('mode', 'code', (value, options) => {
        if (typeof value === 'string' && value.trim() !== '') return true;
        const problem = RED._('@funcx/node-red-funcx/funcx-function:funcx-function.invalid.no-code');
        return options?.label === undefined ? problem : `${options.label}: ${problem}`;
      }),
    },
    entryPoint: { value: '' },
    functionId: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function-id'),
      validate: onlyIf('mode', 'id', uuid()),
    },
    description: { value: '' },
    public: { value: false },
    group: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.group'),
      validate: onlyIf('mode', 'code', uuid({ blank: true })),
    },
    repeatable: { value: false },
    problem: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function'),
      validate: onlyIf('mode', 'code', (value, options) => {
        if (typeof value !== 'string' || value === '') return true;
        return options?.label === undefined ? value : `${options.label}: ${value}`;
      }),
    },
  },
  paletteLabel() {
    return this._('funcx-function.palette');
  },
  label() {
    const id = this.mode === 'id' ? shortId(this.functionId ?? '') : this.entryPoint;
    return this.name || id || this._('funcx-function.palette');
  },
  labelStyle,
  oneditprepare() {
    dialog = new SourceDialog(this);
    const mode = $('#node-config-input-mode');
    const show = () => {
      showOnly({ code: '.funcx-mode-code', id: '.funcx-mode-id' }, String(mode.val()));
      RED.tray.resize();
    };
    mode.on('change', show);
    show();
    $('#node-config-input-functionId').autoComplete({
      minLength: 0,
      search: (typed, done) => {
        functionsFor(dialog?.clientId ?? '', typed).then(done);
        return undefined;
      },
    });
    prepareOptions('node-config-input', { repeatable: false, description: '', public: false, group: '' });
  },
  oneditsave() {
    dialog?.save();
    dialog = undefined;
  },
  oneditcancel() {
    dialog?.close();
    dialog = undefined;
  },
  oneditresize({ height }) {
    dialog?.resize(height);
  },
});
