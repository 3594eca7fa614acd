/** What Node-RED tells of deploys, for any number of clients with one listener an event. */
import type { NodeAPI } from 'node-red';

/** Node-RED's event before it stops nodes, for a deploy or for good. */
interface FlowsStopping {
  readonly type: string;
  readonly diff: Readonly<Record<'changed' | 'removed' | 'linked' | 'rewired', readonly string[]>>;
}

export interface DeployListener {
  /**
   * Nodes are about to be stopped.
   *
   * @param isStopped tells of a node's id whether it will be
   * @param forDeploy false when Node-RED stops for good
   */
  beforeStop(isStopped: (id: string) => boolean, forDeploy: boolean): void;
  /** All nodes have started. */
  afterStart(): void;
}

const listeners = new Set<DeployListener>();
const heard = new WeakSet<object>();

/** Tells a listener of every deploy, until the function given back is called. */
export function onDeploy({ events }: NodeAPI, listener: DeployListener): () => void {
  listeners.add(listener);
  if (!heard.has(events)) {
    heard.add(events);
    events.on('flows:stopping', (stop: FlowsStopping) => {
      const isStopped = stoppedBy(stop);
      for (const each of [...listeners]) each.beforeStop(isStopped, isDeploy(stop));
    });
    events.on('flows:started', () => {
      for (const each of [...listeners]) each.afterStart();
    });
  }
  return () => listeners.delete(listener);
}

/** Which nodes Node-RED is about to stop; as it decides in its `flows.stop`. */
function stoppedBy({ type, diff }: FlowsStopping): (id: string) => boolean {
  if (type !== 'flows' && type !== 'nodes') return () => true;
  const more = type === 'flows' ? [...diff.linked, ...diff.rewired] : [];
  const ids = new Set([...diff.changed, ...diff.removed, ...more]);
  return (id) => ids.has(id);
}

/** Node-RED tells by no other sign whether it stops for a deploy or for good: only a deploy has compared the flows. */
function isDeploy({ diff }: FlowsStopping): boolean {
  return 'globalConfigChanged' in diff;
}
