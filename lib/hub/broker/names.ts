/**
 * What the hub's exchanges and queues are called. All begin with the hub's own prefix, so that several hubs can share a
 * broker, and an account can be limited to a few of them by pattern.
 */

/** Agents that read their command queue start what they are told within this long, or say that it is too old. */
export const COMMAND_TTL_MS = 150_000;

/** Reports are worth nothing when they are older, for example after the hub was away. Unit: milliseconds. */
export const REPORT_TTL_MS = 60_000;

export class BrokerNames {
  readonly prefix: string;
  readonly commands: string;
  readonly tasks: string;
  readonly results: string;
  readonly heartbeats: string;
  /** An exchange that nobody uses, and that is gone when the broker was restarted. */
  readonly mark: string;

  /** @param hubId UUID of the hub */
  constructor(hubId: string) {
    this.prefix = `funcx.${hubId.slice(0, 8)}`;
    this.commands = `${this.prefix}.commands`;
    this.tasks = `${this.prefix}.tasks`;
    this.results = `${this.prefix}.results`;
    this.heartbeats = `${this.prefix}.heartbeats`;
    this.mark = `${this.prefix}.mark`;
  }

  commandQueue(endpointId: string): string {
    return `${this.prefix}.${endpointId}.commands`;
  }

  taskQueue(endpointId: string): string {
    return `${this.prefix}.${endpointId}.tasks`;
  }

  resultKey(endpointId: string): string {
    return `${endpointId}.results`;
  }

  heartbeatKey(endpointId: string): string {
    return `${endpointId}.heartbeats`;
  }

  /** The id of the task group comes after it. */
  userPrefix(userId: string): string {
    return `${this.prefix}.${userId}.`;
  }

  account(kind: 'agent' | 'user', id: string): string {
    return `${this.prefix}.${kind}.${id}`;
  }
}

/** Who sent a message, by its routing key: `<endpoint id>.results`. */
export function senderOf(routingKey: string): string {
  return routingKey.slice(0, Math.max(0, routingKey.lastIndexOf('.')));
}
