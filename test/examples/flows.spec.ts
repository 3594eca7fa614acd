import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/build/layout';
import { exampleFlows } from '../package/examples';
import { type FlowNode, useNodeRed } from './support/node-red';

interface FuncxProperty {
  readonly taskId?: string;
  readonly taskIds?: readonly string[];
  readonly status?: string;
  readonly output?: string;
  readonly timings?: { readonly runMs?: number };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('the examples, imported into a Node-RED', function () {
  this.timeout(30_000);
  const red = useNodeRed();

  it('are all in the Import menu', async () => {
    assert.deepEqual(
      (await red.examples()).sort(),
      exampleFlows()
        .map(({ file }) => file.replace(/\.json$/, ''))
        .sort(),
    );
  });

  it('say hello', async () => {
    await red.load('hello');
    await red.press('Ada');
    assert.match(String((await red.at('greeting').first()).payload), /^Hello Ada, from Python 3\.\d+\.\d+/);
  });

  it('give a function its arguments one by one', async () => {
    await red.load('several arguments from a message');
    await red.press('a parcel');
    // 12 kg * 340 km * 0.12 / 100 + 2 stops * 2.5, express * 1.5, and the insurance of 4.5.
    const expected = { price: 19.34, stops: ['Lyon', 'Turin'], extras: { insurance: 4.5 } };
    assert.deepEqual((await red.at('price').first()).payload, expected);
  });

  it('give a function all arguments from one object', async () => {
    await red.load('several arguments from a message');
    await red.press('an order');
    const expected = { price: 26.16, stops: [], extras: { toll: 18 } };
    assert.deepEqual((await red.at('price').first()).payload, expected);
  });

  describe('run a batch over an array', () => {
    const factors = [[2, 2, 2, 3, 3, 5], [7, 11, 13], [65537], [1000000007], [71, 839, 1471, 6857]];

    before(async () => {
      await red.load('a batch over an array, joined again');
      await red.press('numbers');
    });

    it('one message an item, joined again in the order of the items', async () => {
      assert.deepEqual((await red.at('joined').first()).payload, factors);
      const single = await red.at('one number').take(factors.length);
      assert.deepEqual(single.map(({ payload }) => String(payload)).sort(), factors.map(String).sort());
    });

    it('all in one message', async () => {
      const { payload, funcx } = await red.at('all together').first();
      assert.deepEqual(payload, factors);
      assert.equal((funcx as FuncxProperty).taskIds?.length, factors.length);
    });
  });

  it('catch an exception with its traceback', async () => {
    await red.load('an exception caught');
    await red.press('9');
    assert.equal((await red.at('root').first()).payload, 3);
    await red.press('-9');
    const { error, funcx } = await red.at('exception').first();
    assert.equal((error as Error).message, 'ValueError: -9 has no square root');
    assert.match(
      (error as Error).stack ?? '',
      /^Traceback .*\n.*, line 8, in root\n(.*\n)?ValueError: -9 has no square root\n$/,
    );
    assert.equal((funcx as FuncxProperty).output, 'asked for the root of -9\n');
    assert.equal(red.at('root').items.length, 1);
  });

  it('run a batch on a schedule', async () => {
    await red.load('a scheduled batch', (flow) =>
      flow.map((node) => (node.repeat ? { ...node, repeat: '0.5' } : node)),
    );
    for (const { payload } of await red.at('disks').take(2)) {
      const disks = payload as { folder: string; used: number; free_gb: number }[];
      assert.deepEqual(
        disks.map(({ folder }) => folder),
        ['.', '/'],
      );
      assert.ok(disks.every(({ used, free_gb }) => used >= 0 && used <= 100 && free_gb >= 0));
    }
  });

  it('register a function, find it by name, and run it', async () => {
    await red.load('search and run by name');
    await red.press('212 °F');
    assert.equal((await red.at('nothing found').first()).topic, 'fahrenheit_to_celsius');
    await red.press('register');
    assert.match(String((await red.at('function id').first()).payload), UUID);
    await red.press('212 °F');
    assert.equal((await red.at('°C').first()).payload, 100);
  });

  it('start a task, ask for it, and get its result', async () => {
    await red.load('task ids and results', (flow) =>
      flow.map((node) => (node.payload === '5' ? { ...node, payload: '2' } : node)),
    );
    await red.press('count to 5');
    const { payload } = await red.at('task id').first();
    assert.match(String(payload), UUID);
    await red.press('is it done?');
    const pending = await red.at('still pending').first();
    assert.equal((pending.funcx as FuncxProperty).taskId, payload);
    const result = await red.at('result').first();
    assert.deepEqual(result.payload, [1, 2]);
    assert.equal((result.funcx as FuncxProperty).taskId, payload);
    await red.press('is it done?');
    assert.deepEqual((await red.at('ended').first()).payload, [1, 2]);
  });

  describe('find anomalies in sensor readings', () => {
    interface Anomaly {
      readonly variable: string;
      readonly value: number;
    }
    const data = readFileSync(join(root, 'docs/data/weather.csv'), 'utf8');
    const readings = data.trim().split('\n').length - 1;
    let held: unknown;

    before(async () => {
      await red.load('sensor anomalies', (flow) => {
        held = flow.find(({ type }) => type === 'template')?.template;
        return withoutPace(flow);
      });
    });

    /** The values found on a day, as text. */
    const found = async (day: string, station: string) => {
      const { payload } = await red.at('anomalies').find((msg) => isOf(msg.payload, day, station));
      return (payload as { anomalies: Anomaly[] }).anomalies.map(({ variable, value }) => `${variable} ${value}`);
    };

    it('which are the data of docs/data', () => {
      assert.equal(held, data);
    });

    it('of which each is judged, by Python', async () => {
      const all = await red.at('all readings').take(readings);
      assert.equal(all.length, readings);
      assert.ok(all.every(({ funcx }) => ((funcx as FuncxProperty).timings?.runMs ?? -1) >= 0));
    });

    it('and know the storms, downpours and cold days of 2012 to 2014', async () => {
      assert.deepEqual(await found('2012-10-29', 'New York'), ['wind 16.2'], 'Hurricane Sandy');
      assert.deepEqual(await found('2012-11-19', 'Seattle'), ['rain 54.1'], 'record rain for the day');
      assert.deepEqual(await found('2013-06-07', 'New York'), ['rain 101.9'], 'Tropical Storm Andrea');
      assert.deepEqual(await found('2013-09-28', 'Seattle'), ['rain 43.4'], 'wettest September day');
      assert.deepEqual(await found('2014-02-06', 'Seattle'), ['temperature -1.6'], 'cold spell');
      assert.deepEqual(await found('2014-04-30', 'New York'), ['rain 118.9'], 'rainiest day of these years');
    });

    it('and leave ordinary days alone', async () => {
      await red.at('all readings').take(readings);
      await red.at('anomalies').take(41);
      assert.equal(red.at('anomalies').items.length, 41);
    });

    it('and tell of a broken sensor', async () => {
      await red.press('a broken sensor');
      const { error } = await red.at('problems').first();
      assert.equal((error as Error).message, "KeyError: 'wind'");
    });
  });

  describe('all in all', () => {
    it('leave no complaint in the log: what goes wrong in them is caught', () => {
      const ofANewDirectory = /Projects disabled|credentials not found/;
      assert.deepEqual(
        red.complaints.filter((complaint) => !ofANewDirectory.test(complaint)),
        [],
      );
    });
  });
});

function isOf(payload: unknown, day: string, station: string): boolean {
  const { date, station: where } = payload as { date: string; station: string };
  return date === day && where === station;
}

/** The flow with its readings one after the other, as fast as they are judged. */
function withoutPace(flow: readonly FlowNode[]): readonly FlowNode[] {
  const pace = flow.find(({ type }) => type === 'delay');
  return flow.map((node) =>
    node.wires?.flat().includes(pace?.id ?? '') ? { ...node, wires: pace?.wires ?? [] } : node,
  );
}
