/** An endpoint agent, as the owner of a cluster runs it: `globus-compute-endpoint start NAME`, by an ordinary user. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EndpointId } from '../../../dist/lib/compute/ids.js';
import { asOrdinaryUser, handOver, OrdinaryHome } from './ordinary-user';
import { peers } from './peers';
import { descendantsOf, Program } from './program';
import type { SdkEnvironment } from './sdk';

/** A user endpoint's configuration: an engine that runs functions in threads of its own process. */
export const THREADS = `
engine:
  type: ThreadPoolEngine
  max_workers: 2
heartbeat_period: 5
idle_heartbeats_soft: 0
`;

/** What users may choose with `user_endpoint_config`: the engine. In the template their texts come in JSON's quotes. */
const TEMPLATE = `
engine:
{% if "ProcessPoolEngine" in engine|default("") %}
  type: ProcessPoolEngine
  max_workers: 2
{% elif "GlobusComputeEngine" in engine|default("") %}
  type: GlobusComputeEngine
  address: 127.0.0.1
  max_workers_per_node: 2
  encrypted: false
  provider:
    type: LocalProvider
    init_blocks: 1
    min_blocks: 1
    max_blocks: 1
{% else %}
  type: ThreadPoolEngine
  max_workers: 2
{% endif %}
heartbeat_period: 5
idle_heartbeats_soft: 0
`;

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { engine: { enum: ['ThreadPoolEngine', 'ProcessPoolEngine', 'GlobusComputeEngine'] } },
  additionalProperties: false,
};

export class Agent {
  readonly #home = new OrdinaryHome();
  readonly #folder: string;
  #program: Program | undefined;
  #environment: SdkEnvironment = {};

  constructor(readonly name: string) {
    this.#folder = join(this.#home.folder, '.globus_compute', name);
    const folders = [join(this.#home.folder, '.globus_compute'), this.#folder];
    for (const folder of folders) {
      mkdirSync(folder, { mode: 0o700 });
      handOver(folder);
    }
    this.#write('config.yaml', `display_name: ${name}\nheartbeat_period: 5\n`);
    this.#write('user_config_template.yaml.j2', TEMPLATE);
    this.#write('user_config_schema.json', JSON.stringify(SCHEMA));
    this.#write('user_environment.yaml', '');
  }

  /** Its id at the hub, which it keeps for good. Only after it was started. */
  get endpoint(): EndpointId {
    const { endpoint_id } = JSON.parse(readFileSync(join(this.#folder, 'endpoint.json'), 'utf8'));
    return String(endpoint_id) as EndpointId;
  }

  /** Starts it and waits until it is registered. */
  async start(environment: SdkEnvironment = this.#environment): Promise<void> {
    this.#environment = environment;
    this.#forgetProcesses();
    const command = [peers().agent, 'start', '--no-color', '--log-to-console', this.name];
    this.#program = new Program(`the agent ${this.name}`, asOrdinaryUser(command), {
      cwd: this.#home.folder,
      env: { ...environment, ...this.#home.environment },
    });
    await this.#program.said(/===== Endpoint Manager begins/);
  }

  /** Ends with all that it has started, as when its machine is switched off. */
  async kill(): Promise<void> {
    await this.#program?.killAll();
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.#home.remove();
  }

  /** What it said, and what its user endpoints wrote into their logs: for a test that fails. */
  get output(): string {
    return this.#program?.output ?? '';
  }

  get processes(): number[] {
    return descendantsOf(this.#program?.pid ?? 0);
  }

  /** Removes the files that tell of processes that were killed: an agent does not start beside them for a while. */
  #forgetProcesses(): void {
    const folder = join(this.#home.folder, '.globus_compute');
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) rmSync(join(folder, name, 'daemon.pid'), { force: true });
  }

  #write(name: string, text: string): void {
    const file = join(this.#folder, name);
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    handOver(file);
  }
}
