import { reachConfigButtons } from '../shared/editor/config-buttons';
import { clientLabel, labelStyle } from '../shared/editor/labels';
import { takeOnlyClient } from '../shared/editor/only-client';
import { prepareOptions } from '../shared/editor/options-section';
import { prepareTasks, saveTasks, tasksLabel } from '../shared/editor/task-field';
import { messageProperty, onlyIf, typedId } from '../shared/editor/validators';

interface Properties {
  name: string;
  client: string;
  from: 'message' | 'client';
  inputs: 0 | 1;
  order: 'completed' | 'sent' | 'together';
  tasks: string;
  tasksType: string;
  target: string;
}

RED.nodes.registerType<Properties>('funcx-results', {
  category: 'funcX',
  color: '#C0DEED',
  icon: 'funcx-results.svg',
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
    from: { value: 'message' },
    // Results of the client come without a message: Node-RED then takes the input away.
    inputs: { value: 1 },
    order: { value: 'completed' },
    tasks: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.tasks'),
      validate: onlyIf('from', 'message', typedId('tasksType', { blank: true })),
    },
    tasksType: { value: 'msg' },
    target: {
      value: 'payload',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.target'),
      validate: messageProperty(),
    },
  },
  paletteLabel() {
    return this._('funcx-results.palette');
  },
  label() {
    if (this.name) return this.name;
    const of = this.from === 'client' ? clientLabel(this.client) : tasksLabel(this);
    return of === '' ? this._('funcx-results.palette') : this._('funcx-results.named', { of });
  },
  labelStyle,
  inputLabels() {
    return this._('funcx-results.input');
  },
  outputLabels() {
    return this.from === 'message' && this.order === 'together'
      ? this._('funcx-results.output.together')
      : this._('funcx-results.output.each');
  },
  onadd() {
    takeOnlyClient(this);
  },
  oneditprepare() {
    prepareTasks(this.tasks);
    const from = $('#node-input-from');
    const show = () => {
      const ofMessage = from.val() === 'message';
      $('.funcx-tasks, .funcx-results-order').toggle(ofMessage);
      $('#node-input-inputs').val(ofMessage ? 1 : 0);
    };
    from.on('change', show);
    show();
    reachConfigButtons();
    prepareOptions('node-input', { tasks: '', target: 'payload' });
  },
  oneditsave: saveTasks,
});
