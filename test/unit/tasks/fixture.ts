/** A client at a stand-in service, with its ledger in a real store, that can be closed, crashed and opened again. */
import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type ClientOptions, type Delivery, FuncXClient, type TaskOutcome } from '../../../dist/lib/client.js';
import type { EndpointId, FunctionId } from '../../../dist/lib/compute/ids.js';
import type { Row, Store } from '../../../dist/lib/storage/index.js';
import { Ledger } from '../../../dist/lib/tasks/ledger.js';
import type { ParcelCodec } from '../../../dist/lib/tasks/ledger-page.js';
import { StandIn } from '../../stand-in/service.js';
import { Scratch } from '../storage/scratch.js';

export const FUNCTION = '11111111-1111-4111-8111-111111111111' as FunctionId;
export const ENDPOINT = '22222222-2222-4222-8222-222222222222' as EndpointId;
export const OWNER = 'a-node';

/** Parcels are stored as they are; of one that cannot be, what can. */
export const PLAIN: ParcelCodec = {
  encode: (parcel) => parcel,
  reduce: (parcel) => Object.fromEntries(Object.entries(parcel as object).filter(([, value]) => isStorable(value))),
  decode: (stored) => stored,
};

function isStorable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** Gives up before a test does, so that it is said what was waited for. Unit: milliseconds. */
const PATIENCE_MS = 8_000;

/** Lets the event loop turn until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`never became true: ${condition}`);
    await turn();
  }
}

/** Lets everything that is due happen. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

export type OpenOptions = Partial<Omit<ClientOptions, 'service' | 'endpointId' | 'ledger'>>;

export class Scene {
  #scratch: Scratch | undefined;
  readonly stand: StandIn;
  readonly unreadable: { readonly page: number; readonly error: Error }[] = [];
  codec: ParcelCodec = PLAIN;
  commitWindowMs: number | undefined;
  store!: Store;
  ledger!: Ledger;
  client!: FuncXClient;
  /** The ledger's, when it is opened next. @default one in the scratch directory */
  file = '';
  #image: string | undefined;
  #images = 0;

  constructor(stand = new StandIn()) {
    this.stand = stand;
  }

  /** Of a client without a ledger there is none. */
  get scratch(): Scratch {
    this.#scratch ??= new Scratch();
    return this.#scratch;
  }

  /** Opens the client as a new process would. */
  async open(options: OpenOptions = {}): Promise<FuncXClient> {
    await this.openLedger();
    this.client = await FuncXClient.open({
      service: this.stand,
      endpointId: ENDPOINT,
      ledger: this.ledger,
      ...options,
    });
    return this.client;
  }

  async openLedger(): Promise<Ledger> {
    const { commitWindowMs } = this;
    this.file ||= this.scratch.file;
    this.store = await this.scratch.open({
      file: this.file,
      migrations: [],
      ...(commitWindowMs !== undefined && { commitWindowMs }),
    });
    this.ledger = await Ledger.open(this.store, 'client', this.codec, (page, error) =>
      this.unreadable.push({ page, error }),
    );
    return this.ledger;
  }

  async openWithoutLedger(options: OpenOptions = {}): Promise<FuncXClient> {
    this.client = await FuncXClient.open({ service: this.stand, endpointId: ENDPOINT, ...options });
    return this.client;
  }

  /** Ends the process in good order. */
  async close(): Promise<void> {
    await this.client.close();
    await this.store?.close();
  }

  /** Whatever is committed from now on, the process that opens next does not find it. */
  freeze(): void {
    this.#image = path.join(this.scratch.directory, `image-${++this.#images}.db`);
    for (const suffix of ['', '-wal']) {
      if (existsSync(this.file + suffix)) copyFileSync(this.file + suffix, this.#image + suffix);
    }
  }

  /** Ends the process as a power cut would: what was committed by now, or when frozen, is all there is. */
  async crash(): Promise<void> {
    if (this.#image === undefined) this.freeze();
    await this.client?.close().catch(() => {});
    await this.store.close().catch(() => {});
    this.file = this.#image as string;
    this.#image = undefined;
  }

  async restart(options: OpenOptions = {}): Promise<FuncXClient> {
    await this.close();
    return this.open(options);
  }

  async restartAfterCrash(options: OpenOptions = {}): Promise<FuncXClient> {
    await this.crash();
    return this.open(options);
  }

  /** What is due has happened, and is on disk. */
  async quiet(): Promise<void> {
    await turns();
    // First what was settled, then that the service was told of it.
    for (let i = 0; i < 2; i++) await this.store.flush();
  }

  /** What the ledger has when all that was sent on is settled and the service told of it. */
  async rowsInTheEnd(): Promise<Row[]> {
    await this.quiet();
    return this.rows();
  }

  rows(): Promise<Row[]> {
    return this.store.all('SELECT page, length(entries) AS bytes, hex(stages) AS stages FROM ledger ORDER BY page');
  }

  async clean(): Promise<void> {
    await this.client?.close().catch(() => {});
    await this.#scratch?.clean();
  }

  /** Hands in one call with this argument; the argument is the parcel too, unless there is another. */
  submit(arg: unknown, options: Parameters<FuncXClient['submitFor']>[3] = {}, owner = OWNER, parcel = arg): void {
    this.client.submitFor(owner, parcel, { functionId: FUNCTION, calls: [{ args: [arg] }] }, options);
  }

  /** Hands in one batch with these arguments. */
  submitBatch(args: readonly unknown[], options: Parameters<FuncXClient['submitFor']>[3] = {}, owner = OWNER): void {
    this.client.submitFor(owner, args, { functionId: FUNCTION, calls: args.map((arg) => ({ args: [arg] })) }, options);
  }

  /** Gets the results of an owner. */
  serve(owner = OWNER, options: { readonly settles?: boolean } = {}): Inbox {
    return new Inbox(this.client, owner, options);
  }
}

/** What an owner is told. */
export class Inbox {
  readonly deliveries: Delivery[] = [];
  /** Says that each was sent on. */
  settles: boolean;
  readonly stop: () => void;
  readonly #client: FuncXClient;

  constructor(client: FuncXClient, owner: string, { settles = true } = {}) {
    this.settles = settles;
    this.#client = client;
    this.stop = client.serve(owner, (delivery) => {
      this.deliveries.push(delivery);
      if (this.settles) client.settle(delivery);
    });
  }

  /** What has come, when so many have. */
  async take(count: number): Promise<readonly Delivery[]> {
    await until(() => this.deliveries.length >= count);
    return this.deliveries;
  }

  /** The results and error codes of what has come. */
  get outcomes(): unknown[] {
    return this.deliveries.map(({ outcome }) => shown(outcome));
  }

  settle(): void {
    for (const delivery of this.deliveries) this.#client.settle(delivery);
  }
}

/** The result of an outcome, or its error code. */
export function shown(outcome: TaskOutcome): unknown {
  return outcome.status === 'success' ? outcome.result : outcome.error.code;
}
