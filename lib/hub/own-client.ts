/**
 * The client id and secret of whoever runs a hub, for the Python SDK and for agents: issued once, and kept in a file that
 * nobody else can read and that a shell takes in.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hub } from './hub.js';

const FILE = 'client.sh';

/** Name of the user that this is. */
const NAME = 'owner';

/** Variables by which the Python SDK and the agent find the hub. Source: globus_compute_sdk/sdk/_environments.py, globus_sdk */
export interface SdkEnvironment {
  readonly GLOBUS_SDK_ENVIRONMENT: 'local';
  readonly GLOBUS_SDK_SERVICE_URL_AUTH: string;
  readonly GLOBUS_COMPUTE_CLIENT_ID: string;
  readonly GLOBUS_COMPUTE_CLIENT_SECRET: string;
}

export interface OwnClient {
  readonly environment: SdkEnvironment;
  /** Absolute path of the file that sets them. */
  readonly environmentFile: string;
  /** Whether they were issued just now. */
  readonly isFirst: boolean;
}

/**
 * @param folder where the file is
 * @param url of the hub, which also answers where the SDK looks for Globus Auth
 */
export async function ownClient(hub: Hub, folder: string, url: string): Promise<OwnClient> {
  const file = join(folder, FILE);
  const known = existsSync(file) ? read(file) : undefined;
  // Nobody can ask yet: the check is never too busy.
  const isKnown = known !== undefined && (await hub.users.clients.authenticate(known.id, known.secret)) !== undefined;
  const { id, secret } = isKnown ? known : await issue(hub);
  const environment: SdkEnvironment = {
    GLOBUS_SDK_ENVIRONMENT: 'local',
    GLOBUS_SDK_SERVICE_URL_AUTH: `${url}/`,
    GLOBUS_COMPUTE_CLIENT_ID: id,
    GLOBUS_COMPUTE_CLIENT_SECRET: secret,
  };
  write(file, environment);
  return { environment, environmentFile: file, isFirst: !isKnown };
}

async function issue(hub: Hub): Promise<{ id: string; secret: string }> {
  const { clientId, clientSecret } = await hub.issueClient(NAME);
  return { id: clientId, secret: clientSecret };
}

function read(file: string): { id: string; secret: string } | undefined {
  const text = readFileSync(file, 'utf8');
  const id = /^export GLOBUS_COMPUTE_CLIENT_ID=(\S+)$/m.exec(text)?.[1];
  const secret = /^export GLOBUS_COMPUTE_CLIENT_SECRET=(\S+)$/m.exec(text)?.[1];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Whole at any time, and never readable by others. */
function write(file: string, environment: SdkEnvironment): void {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${value}\n`);
  const written = `${file}.new`;
  writeFileSync(written, lines.join(''), { mode: 0o600 });
  renameSync(written, file);
}
