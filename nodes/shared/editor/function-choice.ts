/** The rows for a function: one of this Node-RED, or the id of one that was registered before. */
import { showOnly, textIn } from './form';
import { completions } from './known-choices';
import { askFunctions } from './server';
import { ELSEWHERE, typedField } from './typed-field';

export function prepareFunctionChoice(): void {
  typedField('functionId', [...ELSEWHERE, registeredFunction(() => textIn('node-input-client'))]);
  const from = $('#node-input-functionFrom');
  const show = () => showOnly({ node: '.funcx-from-node', id: '.funcx-from-id' }, String(from.val()));
  from.on('change', show);
  show();
}

/** A typed input's type for the id of a registered function, which offers those that a client finds. */
export function registeredFunction(client: () => string): NodeRedEditor.TypedInputType {
  return {
    value: 'str',
    label: RED._('@funcx/node-red-funcx/funcx-client:shared.function-id'),
    icon: 'fa fa-hashtag',
    autoComplete: (typed, done) => {
      functionsFor(client(), typed).then(done);
      return undefined;
    },
  };
}

/** Registered functions that fit what is typed; none while the client is not deployed. */
export async function functionsFor(client: string, typed: string): Promise<NodeRedEditor.Completion[]> {
  if (client === '') return [];
  try {
    const hits = await askFunctions(client, typed);
    const choices = hits.map((hit) => ({
      id: hit.function_uuid,
      name: hit.function_name,
      ...(hit.description && { detail: hit.description }),
    }));
    return completions(choices, '');
  } catch {
    return [];
  }
}
