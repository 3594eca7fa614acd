/** The library, without Node-RED: a funcX client and the embedded hub. */
export * from './client.js';
export * from './compute/errors.js';
export * from './compute/ids.js';
export * from './compute/limits.js';
export type * from './compute/service.js';
export type { AgentNews } from './hub/agents.js';
export type { BrokerOptions } from './hub/broker/options.js';
export type { ClientCredentials, ClientInfo } from './hub/clients.js';
export type { RateLimit } from './hub/http/rate-limit.js';
export { HubServer, type HubServerOptions } from './hub/http/server.js';
export { Hub, type HubEvents, type HubOptions } from './hub/hub.js';
export type { Identity } from './hub/identity.js';
export type { LocalEndpointOptions } from './hub/local-endpoint.js';
export type { UserHub } from './hub/user-hub.js';
export type { UserLimits } from './hub/user-load.js';
export { deserialize, packBuffers, serialize, unpackBuffers } from './serialization/index.js';
