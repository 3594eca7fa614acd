import { reachConfigButtons } from '../shared/editor/config-buttons';
import { isBeingEdited, showOnly, textIn } from '../shared/editor/form';
import { functionNodeLabel, labelStyle, typedLabel } from '../shared/editor/labels';
import { takeOnlyClient } from '../shared/editor/only-client';
import { prepareOptions } from '../shared/editor/options-section';
import { ELSEWHERE, typedField } from '../shared/editor/typed-field';
import { configNode, messageProperty, typed, uuid } from '../shared/editor/validators';

interface Properties {
  name: string;
  client: string;
  function: string;
  source: string;
  sourceType: string;
  entryPoint: string;
  entryPointType: string;
  description: string;
  descriptionType: string;
  public: boolean;
  group: string;
  target: string;
}

RED.nodes.registerType<Properties>('funcx-register', {
  category: 'funcX',
  categoryDescription: '@funcx/node-red-funcx/funcx-register:funcx-register.category',
  color: '#C0DEED',
  icon: 'funcx-register.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    name: { value: '' },
    client: {
      value: '',
      type: 'funcx-client',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.client'),
    },
    function: {
      value: '',
      type: 'funcx-function',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function'),
      validate(value, options) {
        // Stored without a function, the node takes the source from the message. The open dialog tells more.
        const needsFunction = isBeingEdited(this) ? textIn('funcx-register-from') === 'node' : value !== '';
        return needsFunction ? configNode().call(this, value, options) : true;
      },
    },
    source: {
      value: 'payload',
      label: RED._('@funcx/node-red-funcx/funcx-register:funcx-register.label.source'),
      validate: typed('sourceType'),
    },
    sourceType: { value: 'msg' },
    entryPoint: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.entry-point'),
      validate: typed('entryPointType', { blank: true }),
    },
    entryPointType: { value: 'str' },
    description: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.description'),
      validate: typed('descriptionType', { blank: true }),
    },
    descriptionType: { value: 'str' },
    public: { value: false },
    group: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.group'),
      validate: uuid({ blank: true }),
    },
    target: {
      value: 'payload',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.target'),
      validate: messageProperty(),
    },
  },
  paletteLabel() {
    return this._('funcx-register.palette');
  },
  label() {
    const what = this.function === '' ? typedLabel(this.sourceType, this.source) : functionNodeLabel(this.function);
    return this.name || this._('funcx-register.named', { function: what });
  },
  labelStyle,
  inputLabels() {
    return this._('funcx-register.input');
  },
  outputLabels() {
    return this._('funcx-register.output');
  },
  onadd() {
    takeOnlyClient(this);
  },
  oneditprepare() {
    typedField('source', [...ELSEWHERE, 'str']);
    typedField('entryPoint', ['str', ...ELSEWHERE]);
    typedField('description', ['str', ...ELSEWHERE]);
    const from = $('#funcx-register-from').val(this.function === '' ? 'message' : 'node');
    const show = () => {
      showOnly({ node: '.funcx-from-node', message: '.funcx-from-message' }, String(from.val()));
      $('#node-input-function').trigger('change');
    };
    from.on('change', show);
    show();
    reachConfigButtons();
    prepareOptions('node-input', { entryPoint: '', description: '', public: false, group: '', target: 'payload' });
  },
  oneditsave() {
    if ($('#funcx-register-from').val() === 'message') $('#node-input-function').val('_ADD_');
  },
});
