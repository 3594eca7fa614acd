import { reachConfigButtons } from '../shared/editor/config-buttons';
import { labelStyle } from '../shared/editor/labels';
import { takeOnlyClient } from '../shared/editor/only-client';
import { prepareOptions } from '../shared/editor/options-section';
import { prepareTasks, saveTasks, tasksLabel } from '../shared/editor/task-field';
import { messageProperty, typedId } from '../shared/editor/validators';

interface Properties {
  name: string;
  client: string;
  tasks: string;
  tasksType: string;
  target: string;
}

RED.nodes.registerType<Properties>('funcx-get-result', {
  category: 'funcX',
  color: '#C0DEED',
  icon: 'funcx-get-result.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    name: { value: '' },
    client: {
      value: '',
      type: 'funcx-client',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.client'),
    },
    tasks: {
      value: '',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.tasks'),
      validate: typedId('tasksType', { blank: true }),
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
    return this._('funcx-get-result.palette');
  },
  label() {
    const tasks = tasksLabel(this);
    return (
      this.name || (tasks === '' ? this._('funcx-get-result.palette') : this._('funcx-get-result.named', { tasks }))
    );
  },
  labelStyle,
  inputLabels() {
    return this._('funcx-get-result.input');
  },
  outputLabels(index) {
    return index === 0 ? this._('funcx-get-result.output.ended') : this._('funcx-get-result.output.pending');
  },
  onadd() {
    takeOnlyClient(this);
  },
  oneditprepare() {
    prepareTasks(this.tasks);
    reachConfigButtons();
    prepareOptions('node-input', { target: 'payload' });
  },
  oneditsave: saveTasks,
});
