import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Delivery, EntryOptions } from '../../../dist/lib/client.js';
import type { EntryCall } from '../../../dist/lib/tasks/entry.js';
import { Random } from '../../stand-in/random.js';
import { type Faults, StandIn } from '../../stand-in/service.js';
import { type OpenOptions, Scene } from './fixture.js';

/** Set FUNCX_TEST_RUNS for a longer search. */
const RUNS = Number(process.env.FUNCX_TEST_RUNS ?? 25);
const SEED = Number(process.env.FUNCX_TEST_SEED ?? 1);

const OWNERS = ['a', 'b', 'gone'] as const;

const sometimes = fc.constantFrom(0, 0, 0.1, 0.5);

const faults: fc.Arbitrary<Partial<Faults>> = fc.record({
  slow: fc.constantFrom(0, 0.3, 0.8),
  shuffled: fc.boolean(),
  losesReplies: sometimes,
  unreachable: sometimes,
  busy: sometimes,
  denies: sometimes,
  statusUnreachable: sometimes,
  hasty: sometimes,
  repeats: sometimes,
  forgets: sometimes,
  silentOnUnknown: fc.boolean(),
  forgetsAcknowledged: fc.boolean(),
});

const limits: fc.Arbitrary<OpenOptions> = fc.record({
  inFlight: fc.constantFrom(1, 3, 1_000),
  queueLimit: fc.constantFrom(2, 10, 1_000),
  whenFull: fc.constantFrom('error', 'block', 'drop-oldest', 'drop-newest'),
});

const options: fc.Arbitrary<EntryOptions & { readonly inMs?: number | undefined }> = fc.record({
  inMs: fc.constantFrom(undefined, undefined, 1_500),
  late: fc.constantFrom('drop', 'send'),
  retry: fc.constantFrom(undefined, { retries: 2, errors: [], backoffMs: 500 }),
  memoMs: fc.constantFrom(undefined, undefined, 60_000),
});

const owner = fc.constantFrom(...OWNERS);

type Step = (world: World) => unknown;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(owner, fc.integer({ min: 1, max: 5 }), options).map(handIn) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 10 }).map(named('end', (count) => (w: World) => w.end(count))) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 10 }).map(named('settle', (n) => (w: World) => w.settle(n))) },
  { weight: 3, arbitrary: owner.map(named('serve', (name) => (w: World) => w.serve(name))) },
  { weight: 3, arbitrary: owner.map(named('leave', (name) => (w: World) => w.leave(name))) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }).map(named('turns', (n) => (w: World) => w.turns(n))) },
  { weight: 2, arbitrary: fc.constant(50).map(named('time', (ms) => (w: World) => w.time(ms * 20))) },
  { weight: 1, arbitrary: owner.map(named('cancel', (name) => (w: World) => w.scene.client.cancelFor(name))) },
  { weight: 1, arbitrary: fc.constant(0).map(named('repeat', () => (w: World) => w.repeat())) },
  { weight: 1, arbitrary: fc.constant(0).map(named('pause', () => (w: World) => w.scene.client.pause())) },
  { weight: 1, arbitrary: fc.constant(0).map(named('resume', () => (w: World) => w.scene.client.resume())) },
  { weight: 1, arbitrary: fc.constant(0).map(named('commit', () => (w: World) => w.scene.store.flush())) },
  { weight: 1, arbitrary: limits.map(named('configure', (set) => (w: World) => w.scene.client.configure(set))) },
  { weight: 1, arbitrary: fc.constant(0).map(named('restart', () => (w: World) => w.restart())) },
);

/** So that a counterexample can be read. */
function named<T>(name: string, make: (value: T) => Step): (value: T) => Step {
  return (value) => Object.assign(make(value), { toString: () => `${name} ${JSON.stringify(value)}` });
}

function handIn([name, count, { inMs, ...rest }]: [
  string,
  number,
  EntryOptions & { inMs?: number | undefined },
]): Step {
  const make = (world: World) =>
    world.handIn(name, count, inMs === undefined ? rest : { ...rest, deadline: Date.now() + inMs });
  return Object.assign(make, { toString: () => `hand in ${name} ${count} ${inMs} ${JSON.stringify(rest)}` });
}

/** Owners that hold what they are told for a while, and write down how often they were told of each call. */
class World {
  readonly scene: Scene;
  readonly #limits: OpenOptions;
  readonly #random: Random;
  /** How often each call was settled. */
  readonly settled = new Map<string, number>();
  readonly problems: string[] = [];
  #calls = 0;
  readonly #handedIn: string[] = [];
  readonly #stops = new Map<string, () => void>();
  #held: Delivery[] = [];
  #told = new WeakMap<EntryCall, string>();
  #generation = 0;

  constructor(standIn: StandIn, limits: OpenOptions, seed: number) {
    this.scene = new Scene(standIn);
    this.#limits = limits;
    this.#random = new Random(seed);
    standIn.holding = true;
    // Some raise, so that there is something to try again.
    standIn.ending = ({ args }) => (this.#random.happens(0.2) ? { exception: 'ValueError: no' } : { result: args[0] });
  }

  async open(): Promise<void> {
    await this.scene.open(this.#limits);
  }

  handIn(name: string, count: number, entryOptions: EntryOptions): void {
    const first = this.#calls;
    this.#calls += count;
    // Every second argument is one of few, so that calls may share a task.
    const calls = Array.from({ length: count }, (_, i) => ({ args: [i % 2 === 0 ? first + i : i] }));
    for (let i = 0; i < count; i++) this.#handedIn.push(`${first} ${i}`);
    this.scene.client.submitFor(name, first, { functionId: '1' as never, calls }, entryOptions);
  }

  end(count: number): void {
    const open = this.#random.shuffle(this.scene.stand.open);
    this.scene.stand.end(open.slice(0, count));
  }

  repeat(): void {
    this.scene.stand.repeat([...this.scene.stand.tasks.values()]);
  }

  serve(name: string): void {
    const generation = ++this.#generation;
    this.#held = this.#held.filter(({ entry }) => entry.owner !== name);
    const handler = (delivery: Delivery) => this.#tellTo(`${name} ${generation}`, delivery);
    this.#stops.set(name, this.scene.client.serve(name, handler));
  }

  leave(name: string): void {
    this.#stops.get(name)?.();
    this.#held = this.#held.filter(({ entry }) => entry.owner !== name);
  }

  settle(count: number): void {
    this.#random.shuffle(this.#held);
    for (const delivery of this.#held.splice(0, count)) this.#settle(delivery);
  }

  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await turn();
  }

  async time(ms: number): Promise<void> {
    mock.timers.tick(ms);
    await this.turns(2);
  }

  async restart(): Promise<void> {
    this.#held = [];
    this.#stops.clear();
    await this.meanwhile(this.scene.restart(this.#limits));
  }

  /** Time passes until something is done. */
  async meanwhile<T>(work: Promise<T>): Promise<T> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    while (!over) await this.time(500);
    return done;
  }

  /** Everybody is there again, and the service does its best: everything comes to its end. */
  async comeToRest(): Promise<void> {
    const { stand } = this.scene;
    Object.assign(stand.faults, {
      unreachable: 0,
      busy: 0,
      denies: 0,
      losesReplies: 0,
      statusUnreachable: 0,
      forgets: 0,
    });
    stand.ending = ({ args }) => ({ result: args[0] });
    // A task that was forgotten is found out after a restart.
    await this.restart();
    stand.holding = false;
    for (const name of OWNERS.slice(0, 2)) this.serve(name);
    this.scene.client.inherit((delivery) => {
      this.#tellTo('heir', delivery);
      return true;
    });
    this.scene.client.settleEstates((name) => name !== 'gone');
    for (let i = 0; i < 200 && this.#left() > 0; i++) {
      stand.end();
      this.settle(10);
      await this.time(500);
      await this.scene.store.flush();
    }
    await this.turns(20);
  }

  check(): void {
    const { client, ledger, stand } = this.scene;
    assert.deepEqual(this.problems, []);
    const wrong = this.#handedIn.filter((call) => this.settled.get(call) !== 1);
    assert.deepEqual(wrong, [], `of ${this.#handedIn.length} calls these were not settled once`);
    assert.equal(this.settled.size, this.#handedIn.length);
    assert.equal(ledger.size, 0);
    const { pending, queued, blocked } = client.counts;
    assert.deepEqual({ pending, queued, blocked }, { pending: 0, queued: 0, blocked: 0 });
    const mine = stand.unacknowledged.filter(({ id }) => this.#acknowledged.has(id));
    assert.deepEqual(mine, [], 'these results were settled and not acknowledged');
  }

  readonly #acknowledged = new Set<string>();

  #left(): number {
    return this.#handedIn.length - this.settled.size;
  }

  #tellTo(who: string, delivery: Delivery): void {
    const { call, entry, index, late, interim, outcome } = delivery;
    const name = `${entry.parcel} ${index}`;
    if (interim) {
      // Only of a deadline one is told before the end.
      const code = outcome.status === 'failed' ? outcome.error.code : 'success';
      if (code !== 'DEADLINE_EXCEEDED') this.problems.push(`${code} before the end: ${name}`);
      this.scene.client.settle(delivery);
      return;
    }
    if (late && entry.options.late !== 'send') this.problems.push(`late ${name}`);
    if (this.settled.has(name)) this.problems.push(`again after it was settled: ${name}`);
    if (this.#told.get(call) === who) this.problems.push(`told twice: ${name} to ${who}`);
    this.#told.set(call, who);
    this.#held.push(delivery);
    if (this.#random.happens(0.5)) this.settle(1);
  }

  #settle(delivery: Delivery): void {
    const name = `${delivery.entry.parcel} ${delivery.index}`;
    this.settled.set(name, (this.settled.get(name) ?? 0) + 1);
    if (delivery.call.taskId !== undefined) this.#acknowledged.add(delivery.call.taskId);
    this.scene.client.settle(delivery);
    if (this.#random.happens(0.1)) this.scene.client.settle(delivery);
  }
}

describe('every call', () => {
  it('is sent on exactly once, whatever the service and the owners do', async () => {
    const property = fc.asyncProperty(
      faults,
      limits,
      fc.array(step, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 2 ** 30 }),
      async (these, set, steps, seed) => {
        mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() });
        const world = new World(new StandIn({ seed, faults: these }), set, seed);
        try {
          await world.open();
          for (const each of steps) {
            const result = each(world);
            if (result instanceof Promise) await world.meanwhile(result);
          }
          await world.comeToRest();
          world.check();
          assert.deepEqual(await world.scene.rowsInTheEnd(), []);
        } finally {
          await world.meanwhile(world.scene.clean());
          mock.timers.reset();
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS, seed: SEED });
  }).timeout(RUNS * 5_000);
});
