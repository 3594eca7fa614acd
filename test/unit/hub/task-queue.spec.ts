import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TaskBatch } from '../../../dist/lib/hub/batch.js';
import { TaskQueue } from '../../../dist/lib/hub/workers/task-queue.js';
import { batchOf } from './batches.js';

describe('the queue of tasks', () => {
  it('keeps nothing in memory of batches that have gone out', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const queue = new TaskQueue();
    const gone = Array.from({ length: 10 }, () => passThrough(queue));
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    assert.equal(queue.size, 0);
    assert.equal(gone.filter((batch) => batch.deref() !== undefined).length, 0);
  });
});

/** In a function of its own, whose variables are gone with it. */
function passThrough(queue: TaskQueue): WeakRef<TaskBatch> {
  const batch = batchOf(['', '']);
  queue.push(batch);
  assert.equal(queue.take(1).length + queue.take(1).length, 2);
  assert.equal(queue.peek(), undefined);
  return new WeakRef(batch);
}
