import { reachConfigButtons } from '../shared/editor/config-buttons';
import { labelStyle, typedLabel } from '../shared/editor/labels';
import { takeOnlyClient } from '../shared/editor/only-client';
import { prepareOptions } from '../shared/editor/options-section';
import { ELSEWHERE, typedField } from '../shared/editor/typed-field';
import { messageProperty, typed, typedCount } from '../shared/editor/validators';

interface Properties {
  name: string;
  client: string;
  query: string;
  queryType: string;
  offset: string;
  offsetType: string;
  limit: string;
  limitType: string;
  target: string;
}

RED.nodes.registerType<Properties>('funcx-search', {
  category: 'funcX',
  color: '#C0DEED',
  icon: 'funcx-search.svg',
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
    query: {
      value: 'payload',
      label: RED._('@funcx/node-red-funcx/funcx-search:funcx-search.label.query'),
      validate: typed('queryType'),
    },
    queryType: { value: 'msg' },
    offset: {
      value: '0',
      label: RED._('@funcx/node-red-funcx/funcx-search:funcx-search.label.offset'),
      validate: typedCount('offsetType', 0),
    },
    offsetType: { value: 'num' },
    limit: {
      value: '10',
      label: RED._('@funcx/node-red-funcx/funcx-search:funcx-search.label.limit'),
      validate: typedCount('limitType', 1),
    },
    limitType: { value: 'num' },
    target: {
      value: 'payload',
      required: true,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.target'),
      validate: messageProperty(),
    },
  },
  paletteLabel() {
    return this._('funcx-search.palette');
  },
  label() {
    return this.name || this._('funcx-search.named', { query: typedLabel(this.queryType, this.query) });
  },
  labelStyle,
  inputLabels() {
    return this._('funcx-search.input');
  },
  outputLabels() {
    return this._('funcx-search.output');
  },
  onadd() {
    takeOnlyClient(this);
  },
  oneditprepare() {
    typedField('query', ['str', ...ELSEWHERE]);
    typedField('offset', ['num', ...ELSEWHERE]);
    typedField('limit', ['num', ...ELSEWHERE]);
    reachConfigButtons();
    prepareOptions('node-input', { offset: '0', limit: '10', target: 'payload' });
  },
});
