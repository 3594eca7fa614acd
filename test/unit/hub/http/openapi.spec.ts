/** The OpenAPI document of the hub. */
import assert from 'node:assert/strict';
import { HttpLab, type User } from './fixture.js';

/** Operations of the service. Source: its OpenAPI document, as typed by @globus/sdk 6.2. */
const OF_THE_SERVICE = [
  'get /v2/version',
  'get /v2/authenticate',
  'get /v2/stats',
  'get /v2/get_amqp_result_connection_url',
  'post /v2/batch_status',
  'post /v2/submit',
  'post /v2/containers',
  'post /v2/containers/build',
  'get /v2/containers/build/{container_uuid}',
  'get /v2/containers/{container_uuid}/{container_type}',
  'get /v2/endpoints',
  'post /v2/endpoints',
  'get /v2/endpoints/{endpoint_uuid}',
  'delete /v2/endpoints/{endpoint_uuid}',
  'get /v2/endpoints/{endpoint_uuid}/status',
  'post /v2/endpoints/{endpoint_uuid}/lock',
  'get /v2/functions/{function_uuid}',
  'delete /v2/functions/{function_uuid}',
  'post /v2/functions',
  'get /v2/tasks/{task_uuid}',
  'get /v2/taskgroup/{task_group_uuid}',
  'post /v3/endpoints',
  'put /v3/endpoints/{endpoint_uuid}',
  'post /v3/endpoints/{endpoint_uuid}/lock',
  'post /v3/endpoints/{endpoint_uuid}/submit',
  'get /v3/endpoints/{endpoint_uuid}/allowed_functions',
  'get /v3/endpoints/{endpoint_uuid}/console',
  'put /v3/endpoints/{endpoint_uuid}/subscription-admin-verified',
  'post /v3/functions',
];

describe('the OpenAPI document', () => {
  let lab: HttpLab;
  let user: User;
  // biome-ignore lint/suspicious/noExplicitAny: a document of any shape
  let document: any;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
    document = await user.get('/openapi.json');
  });
  after(() => lab.clean());

  it('is of version 3.1, and of the version that the hub tells', async () => {
    assert.equal(document.openapi, '3.1.0');
    assert.equal(document.info.version, await user.get('/v2/version'));
  });

  it('names every operation of the service', () => {
    const named = Object.entries(document.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    assert.deepEqual(
      OF_THE_SERVICE.filter((operation) => !named.includes(operation)),
      [],
    );
  });

  it('says of each what it does, takes and answers', () => {
    for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, never>>)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { summary, parameters, responses } = operation as {
          summary?: string;
          parameters: { name: string; in: string }[];
          responses: object;
        };
        assert.ok(summary, `${method} ${path}`);
        const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        if (!summary.startsWith('Refused')) assert.deepEqual(inPath, named, `${method} ${path}`);
        assert.ok('default' in responses && ('200' in responses || summary.startsWith('Refused')), `${method} ${path}`);
      }
    }
  });

  it('describes bodies by the very schemas by which they are checked', async () => {
    const { schema } = document.paths['/v3/functions'].post.requestBody.content['application/json'];
    for (const name of schema.required) {
      const { detail } = await user.post('/v3/functions', { ...complete(), [name]: undefined }, 422);
      assert.deepEqual(detail[0].loc, ['body', name]);
    }
  });
});

function complete(): object {
  const meta = { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' };
  return { function_name: 'f', function_code: '3\nst\n', meta };
}
