/** The field for an endpoint: one that the client knows, an id, or from elsewhere. Empty is the client's own. */
import { textIn } from './form';
import { completions, type KnownChoice, openList } from './known-choices';
import { askEndpoints, type Endpoint } from './server';
import { ELSEWHERE, typedField } from './typed-field';

export function prepareEndpoint(): void {
  let known: Promise<readonly KnownChoice[]> = Promise.resolve([]);
  let loaded: string | undefined;
  let showsAll = false;
  const field = typedField('endpoint', [
    {
      value: 'str',
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.endpoint'),
      icon: 'fa fa-server',
      autoComplete: (typed, done) => {
        const wanted = showsAll ? '' : typed;
        showsAll = false;
        known.then((choices) => done?.(completions(choices, wanted)));
        return undefined;
      },
      expand: Object.assign(
        () => {
          showsAll = true;
          openList(field);
        },
        { icon: 'fa-caret-down' },
      ),
    },
    ...ELSEWHERE,
  ]);
  const hint = $('.funcx-endpoint-hint');

  const describe = () => {
    const id = field.typedInput('type') === 'str' ? String(field.typedInput('value')).trim() : '';
    hint.toggle(id !== '').text('\u00a0');
    if (id === '') return;
    known.then((choices) => {
      const choice = choices.find((candidate) => candidate.id === id);
      const { name, detail } = choice ?? {
        name: RED._('@funcx/node-red-funcx/funcx-client:shared.unknown-endpoint'),
        detail: undefined,
      };
      hint.text(detail === undefined ? name : `${name}, ${detail}`);
    });
  };
  const load = () => {
    const client = textIn('node-input-client');
    if (client === loaded) return;
    loaded = client;
    // A client that is not deployed yet knows no endpoints; an id can be typed all the same.
    const isDeployed = client !== '' && RED.nodes.node(client)?.changed !== true;
    const asked = isDeployed ? askEndpoints(client) : Promise.resolve([]);
    known = asked.then(
      (endpoints) => endpoints.map(choiceOf),
      () => [],
    );
    describe();
  };
  $('#node-input-client').on('change', load);
  field.on('change keyup', describe);
  load();
}

function choiceOf({ uuid, name, display_name, status }: Endpoint): KnownChoice {
  return { id: uuid, name: display_name || name, detail: status };
}
