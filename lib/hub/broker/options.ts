/** How the hub finds the broker. */
export interface BrokerOptions {
  /** `amqp://user:password@host:port/vhost` or `amqps://…`: RabbitMQ, as the hub reaches it. */
  readonly url: string;
  /** The same broker as agents and users reach it; their account takes the place of the one given here. @default the url */
  readonly publicUrl?: string;
  /**
   * `http(s)://user:password@host:port`: RabbitMQ's management API. With it every agent and user gets an account of its
   * own that sees its own queues alone. Without it they are given the account of {@link url}.
   * @default none
   */
  readonly managementUrl?: string;
  /** An agent that has not reported for so long is offline. Unit: milliseconds. @default 120000 */
  readonly offlineAfterMs?: number;
  /** User endpoints of one agent at most: one for each user and configuration. @default 256 */
  readonly userEndpoints?: number;
  /** How often user endpoints that have tasks are looked at. Unit: milliseconds. @default 5000 */
  readonly lookMs?: number;
  /**
   * Agents that have lost their connections have new ones, and have sent the results that they held, within this: what is
   * missing then is run again. Unit: milliseconds. @default 30000
   */
  readonly recoveryMs?: number;
}
