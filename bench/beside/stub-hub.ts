/**
 * A hub that answers at once: the routes that the SDK's Executor uses, and for each task the result `None` in its queue
 * before its id is told. It runs nothing and keeps nothing. What the Executor reaches with it, no hub can exceed.
 *
 * Its arguments: the URL of a RabbitMQ.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Channel, connect } from 'amqplib';

/** `dill.dumps(None)`, as a worker of Globus Compute sends it. */
const NONE = '00\ngAROLg==\n';

const PREFIX = 'stub.';

const SCOPE = 'https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all';

interface Submission {
  readonly tasks: Readonly<Record<string, readonly string[]>>;
  readonly task_group_id?: string;
}

async function main([amqp = '']: readonly string[]): Promise<void> {
  const connection = await connect(amqp, { noDelay: true });
  const channel = await connection.createChannel();
  const server = createServer(async (request, response) => {
    const body = await answer(request, channel, amqp);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  // It ends with whoever started it.
  process.stdin.on('end', () => process.exit()).resume();
}

async function answer(request: IncomingMessage, channel: Channel, amqp: string): Promise<unknown> {
  const path = new URL(request.url ?? '', 'http://stub').pathname;
  if (path.endsWith('/oauth2/token')) {
    const resource = { resource_server: 'funcx_service', scope: SCOPE, expires_in: 172_800, token_type: 'Bearer' };
    return { ...resource, access_token: 'stub', other_tokens: [] };
  }
  if (path === '/v2/version') return { api: '1.0.0', min_sdk_version: '2.28.0', min_ep_version: '2.28.0' };
  if (path === '/v3/functions') return { function_uuid: randomUUID() };
  if (path === '/v2/get_amqp_result_connection_url') return { queue_prefix: PREFIX, connection_url: amqp };
  return submit(JSON.parse(await textOf(request)) as Submission, path, channel);
}

async function submit({ tasks, task_group_id }: Submission, path: string, channel: Channel): Promise<unknown> {
  const group = task_group_id ?? randomUUID();
  if (task_group_id === undefined) await channel.assertQueue(PREFIX + group, { durable: false, expires: 600_000 });
  const ids = Object.entries(tasks).map(([id, args]) => [id, args.map(() => randomUUID())] as const);
  for (const id of ids.flatMap(([, each]) => each)) {
    const result = { message_type: 'result', data: { task_id: id, data: NONE } };
    channel.publish('', PREFIX + group, Buffer.from(`\x01${JSON.stringify(result)}`));
  }
  return {
    request_id: randomUUID(),
    task_group_id: group,
    endpoint_id: path.split('/')[3],
    tasks: Object.fromEntries(ids),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

void main(process.argv.slice(2));
