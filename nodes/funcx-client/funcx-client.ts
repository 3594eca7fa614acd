/** Where functions run: the embedded hub of this Node-RED, with workers of the client's own. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { FuncXClient } from '../../lib/client.js';
import type { Inbox } from '../../lib/tasks/inbox.js';
import { addRoutes } from '../shared/admin.js';
import { type ClientState, Statuses } from '../shared/status.js';
import type { ClientConfig, ClientCredentials, ClientNode, WorkListener } from '../shared/types.js';
import { Connection } from './connection.js';
import { onDeploy } from './deploys.js';
import { DEFAULT_QUEUE_LIMIT, settingsOf, sharingOf } from './settings.js';
import { SharedHub } from './shared-hub.js';

const IDLE: ClientState = { opening: false, running: 0, pending: 0, blocked: 0 };

export = (RED: NodeAPI): void => {
  function Client(this: ClientNode, config: ClientConfig): void {
    RED.nodes.createNode(this, config);
    const hub = SharedHub.of(join(RED.settings.userDir ?? join(homedir(), '.node-red'), 'funcx', 'hub.db'));
    const connection = Connection.of(hub, config.id);
    const statuses = new Statuses(
      RED,
      () => stateOf(connection),
      () => {
        // For dashboards and monitoring flows; at most twice a second, as the statuses.
        RED.events.emit('funcx:counts', { client: this.id, name: this.name, ...connection.counts });
      },
    );
    connection.adopt(() => settingsOf(config), {
      warn: (message) => this.warn(message),
      tell: (message) => this.log(message),
      failed: (error) => {
        this.error(error instanceof Error ? error.message : String(error));
        statuses.failed(error);
      },
    });

    wish(this, hub, config);

    let deploying = false;
    const stopping = new Set<(isStopped: (id: string) => boolean) => void>();
    const forgetDeploys = onDeploy(RED, {
      beforeStop: (isStopped, forDeploy) => {
        deploying = forDeploy;
        connection.pause();
        for (const listener of stopping) listener(isStopped);
      },
      // Between the end of the old nodes and the start of the new ones, a deploy leaves a client without users.
      afterStart: () => {
        connection.resume();
        void connection.closeUnlessUsed();
        void reportEstates(RED, this, connection, hub.inbox);
        void hub.share(
          this.id,
          (message) => this.warn(message),
          (message) => this.log(message),
        );
      },
    });
    this.on('close', (done: () => void) => {
      forgetDeploys();
      hub.wantNoMore(config.id);
      void (deploying ? connection.rest(RED) : connection.close()).then(done);
    });

    Object.assign(this, {
      python: config.python ?? '',
      queueLimit: Number(config.queueLimit) || DEFAULT_QUEUE_LIMIT,
      whenFull: config.whenFull ?? 'error',
      order: config.order === 'sent' ? 'sent' : 'completed',
      statuses,
      client: () => connection.client(),
      onStopping: (listener: (isStopped: (id: string) => boolean) => void) => {
        stopping.add(listener);
        return () => stopping.delete(listener);
      },
      counts: () => connection.counts,
      onOpen: (listener: (client: FuncXClient) => void) => connection.onOpen(listener),
      onWork: (listener: WorkListener) => connection.onWork(listener),
      inbox: hub.inbox,
      use: () => {
        connection.join();
        return () => connection.leave();
      },
      borrow: async <T>(work: (client: FuncXClient) => Promise<T>): Promise<T> => {
        connection.join();
        try {
          return await work(await connection.client());
        } finally {
          connection.leave();
          await connection.closeUnlessUsed();
        }
      },
    } satisfies Omit<ClientNode, keyof Node<ClientCredentials>>);
  }

  RED.nodes.registerType<ClientNode, ClientConfig, never, ClientCredentials>('funcx-client', Client, {
    credentials: { amqp: { type: 'password' }, management: { type: 'password' } },
  });
  addRoutes(RED);
};

/** Tells the hub how the client wants it to be shared. Where that cannot be, it stays as it is. */
function wish(node: ClientNode, hub: SharedHub, config: ClientConfig): void {
  try {
    hub.want(config.id, config.name || config.id, sharingOf(config, node.credentials));
  } catch (error) {
    hub.wantAsBefore(config.id);
    node.error(error instanceof Error ? error.message : String(error));
  }
}

/** Says for which nodes that are gone there still are results or messages. Nodes of a disabled flow are not gone. */
async function reportEstates(RED: NodeAPI, node: Node, connection: Connection, inbox: Inbox): Promise<void> {
  const known = new Set<string>();
  RED.nodes.eachNode(({ id }) => known.add(id));
  const exists = (owner: string) => known.has(owner) || RED.nodes.getNode(owner) !== null;
  const waiting = await connection.settleEstates(exists);
  for (const [owner, count] of waiting) {
    node.warn(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.estate', { owner, results: count }));
  }
  for (const [owner, messages] of inbox.counts()) {
    if (exists(owner)) continue;
    node.warn(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.left-messages', { owner, messages }));
  }
}

/** What the statuses tell of the client, which may be opening or closing just now. */
async function stateOf(connection: Connection): Promise<ClientState> {
  try {
    if (!connection.isOpen) return { ...IDLE, opening: true };
    const client = await connection.client();
    const { details } = await client.service.endpointStatus(client.endpointId);
    const running = (details?.total_workers ?? 0) - (details?.idle_workers ?? 0);
    const { pending, blocked } = client.counts;
    return { opening: false, running, pending, blocked };
  } catch {
    return IDLE;
  }
}
