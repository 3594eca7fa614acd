/** What tokens are for. Source: Globus SDK for Python 4.9, `scopes/data`, and what the endpoint agent 4.15 asks for. */

export interface ResourceServer {
  readonly name: string;
  readonly scopes: readonly [string, ...string[]];
}

/** Everything but who one is. The name is the service's. */
export const COMPUTE: ResourceServer = {
  name: 'funcx_service',
  scopes: ['https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all'],
};

/** Who one is. */
export const AUTH: ResourceServer = {
  name: 'auth.globus.org',
  scopes: ['openid', 'email', 'profile', 'urn:globus:auth:scope:auth.globus.org:manage_projects'],
};

/** What is asked for where no scope is named. */
export const USUAL_SCOPE = COMPUTE.scopes[0];

/**
 * The scopes of each resource server that are asked for: one token each.
 *
 * @param scope as a request names them, separated by spaces
 * @returns the unknown scope where there is one
 */
export function byResourceServer(scope: string): Map<ResourceServer, string[]> | string {
  const asked = new Map<ResourceServer, string[]>();
  for (const name of scope.split(' ').filter((part) => part !== '')) {
    const server = [COMPUTE, AUTH].find(({ scopes }) => scopes.includes(name));
    if (server === undefined) return name;
    const scopes = asked.get(server) ?? [];
    if (!scopes.includes(name)) scopes.push(name);
    asked.set(server, scopes);
  }
  return asked;
}
