import type { ArgumentRow } from '../shared/editor/argument-rows';
import { argumentRows } from '../shared/editor/argument-rules';
import { reachConfigButtons } from '../shared/editor/config-buttons';
import { prepareEndpoint } from '../shared/editor/endpoint-field';
import { showOnly, textIn } from '../shared/editor/form';
import { FunctionArguments } from '../shared/editor/function-arguments';
import { prepareFunctionChoice } from '../shared/editor/function-choice';
import { functionLabel, labelStyle } from '../shared/editor/labels';
import { takeOnlyClient } from '../shared/editor/only-client';
import { prepareOptions } from '../shared/editor/options-section';
import { prepareTaskOptions, TASK_DEFAULTS, TASK_PROPERTIES, type TaskOptions } from '../shared/editor/task-options';
import { ELSEWHERE, typedField } from '../shared/editor/typed-field';
import { configNode, messageProperty, onlyIf, typed, typedId } from '../shared/editor/validators';

interface Properties extends TaskOptions {
  name: string;
  client: string;
  functionFrom: 'node' | 'id';
  function: string;
  functionId: string;
  functionIdType: string;
  endpoint: string;
  endpointType: string;
  argsMode: 'rows' | 'message';
  args: readonly ArgumentRow[];
  messageAs: 'single' | 'list' | 'keywords';
  message: string;
  messageType: string;
  then: 'result' | 'id';
  target: string;
}

let functionArguments: FunctionArguments | undefined;

RED.nodes.registerType<Properties>('funcx-run', {
  category: 'funcX',
  color: '#C0DEED',
  icon: 'funcx-run.svg',
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
    functionFrom: { value: 'node' },
    function: {
      value: '',
      type: 'funcx-function',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function'),
      validate: onlyIf('functionFrom', 'node', configNode()),
    },
    functionId: {
      value: 'funcx.functionId',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.function-id'),
      validate: onlyIf('functionFrom', 'id', typedId('functionIdType')),
    },
    functionIdType: { value: 'msg' },
    endpoint: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.endpoint'),
      validate: typedId('endpointType', { blank: true }),
    },
    endpointType: { value: 'str' },
    argsMode: { value: 'rows' },
    args: {
      value: [],
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.arguments'),
      validate: argumentRows,
    },
    messageAs: { value: 'single' },
    message: {
      value: 'payload',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.arguments'),
      validate: onlyIf('argsMode', 'message', typed('messageType')),
    },
    messageType: { value: 'msg' },
    // biome-ignore lint/suspicious/noThenProperty: the name of the property in flows
    then: { value: 'result' },
    deadline: TASK_PROPERTIES.deadline,
    deadlineType: TASK_PROPERTIES.deadlineType,
    late: TASK_PROPERTIES.late,
    retries: TASK_PROPERTIES.retries,
    retryErrors: TASK_PROPERTIES.retryErrors,
    backoff: TASK_PROPERTIES.backoff,
    memoize: TASK_PROPERTIES.memoize,
    target: {
      value: 'payload',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.target'),
      validate: messageProperty(),
    },
  },
  paletteLabel() {
    return this._('funcx-run.palette');
  },
  label() {
    return this.name || this._('funcx-run.named', { function: functionLabel(this) }).trim();
  },
  labelStyle,
  inputLabels() {
    return this._('funcx-run.input');
  },
  outputLabels() {
    return this.then === 'id' ? this._('funcx-run.output.id') : this._('funcx-run.output.result');
  },
  onadd() {
    takeOnlyClient(this);
  },
  oneditprepare() {
    prepareFunctionChoice();
    prepareEndpoint();
    typedField('message', [...ELSEWHERE, 'json']);
    functionArguments = new FunctionArguments(this.args ?? []);
    const mode = $('#node-input-argsMode');
    const show = () => showOnly({ rows: '.funcx-args-rows', message: '.funcx-args-message' }, String(mode.val()));
    mode.on('change', show);
    show();
    reachConfigButtons();
    prepareTaskOptions();
    prepareOptions('node-input', { ...TASK_DEFAULTS, target: 'payload' });
  },
  oneditsave() {
    if (textIn('node-input-argsMode') === 'rows') {
      this.args = functionArguments?.rows() ?? [];
      functionArguments?.close((rows) => {
        this.args = rows;
        RED.editor.validateNode(this);
        RED.view.redraw();
      });
    } else {
      functionArguments?.close();
    }
    functionArguments = undefined;
  },
  oneditcancel() {
    functionArguments?.close();
    functionArguments = undefined;
  },
});
