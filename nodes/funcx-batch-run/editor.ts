import { reachConfigButtons } from '../shared/editor/config-buttons';
import { prepareEndpoint } from '../shared/editor/endpoint-field';
import { prepareFunctionChoice } from '../shared/editor/function-choice';
import { functionLabel, labelStyle, typedLabel } from '../shared/editor/labels';
import { takeOnlyClient } from '../shared/editor/only-client';
import { prepareOptions } from '../shared/editor/options-section';
import { showSignature } from '../shared/editor/signature-hint';
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
  items: string;
  itemsType: string;
  itemIs: 'single' | 'list' | 'keywords';
  then: 'array' | 'each' | 'ids';
  failures: 'error' | 'include';
  target: string;
}

RED.nodes.registerType<Properties>('funcx-batch-run', {
  category: 'funcX',
  color: '#C0DEED',
  icon: 'funcx-batch-run.svg',
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
    items: {
      value: 'payload',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-batch-run:funcx-batch-run.label.items'),
      validate: typed('itemsType'),
    },
    itemsType: { value: 'msg' },
    itemIs: { value: 'single' },
    // biome-ignore lint/suspicious/noThenProperty: the name of the property in flows
    then: { value: 'array' },
    failures: { value: 'error' },
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
    return this._('funcx-batch-run.palette');
  },
  label() {
    if (this.name) return this.name;
    const called = functionLabel(this);
    const items = typedLabel(this.itemsType, this.items);
    return called === ''
      ? this._('funcx-batch-run.palette')
      : this._('funcx-batch-run.named', { function: called, items });
  },
  labelStyle,
  inputLabels() {
    return this._('funcx-batch-run.input');
  },
  outputLabels() {
    switch (this.then) {
      case 'each':
        return this._('funcx-batch-run.output.each');
      case 'ids':
        return this._('funcx-batch-run.output.ids');
      default:
        return this._('funcx-batch-run.output.array');
    }
  },
  onadd() {
    takeOnlyClient(this);
  },
  oneditprepare() {
    prepareFunctionChoice();
    prepareEndpoint();
    typedField('items', [...ELSEWHERE, 'json']);
    showSignature($('.funcx-signature'));
    const then = $('#node-input-then');
    const show = () => $('.funcx-failures').toggle(then.val() === 'array');
    then.on('change', show);
    show();
    reachConfigButtons();
    prepareTaskOptions();
    prepareOptions('node-input', { failures: 'error', ...TASK_DEFAULTS, target: 'payload' });
  },
});
