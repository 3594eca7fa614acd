import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TaskBatch } from '../../../dist/lib/hub/batch.js';
import { TaskQueue } from '../../../dist/lib/hub/workers/task-queue.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../../../dist/lib/index.js';

const newId = <Id>() => randomUUID() as unknown as Id;

describe('the queue of tasks', () => {
  it('keeps nothing in memory of batches that have gone out', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const queue = new TaskQueue();
    const gone: WeakRef<TaskBatch>[] = [];
    for (let batches = 0; batches < 10; batches++) {
      const ids = [newId<TaskId>(), newId<TaskId>()];
      const batch = new TaskBatch(
        newId<FunctionId>(),
        newId<EndpointId>(),
        newId<TaskGroupId>(),
        true,
        ids,
        ['', ''],
        1,
      );
      queue.push(batch);
      gone.push(new WeakRef(batch));
      assert.equal(queue.take(1).length + queue.take(1).length, 2);
      assert.equal(queue.peek(), undefined);
    }
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collectGarbage();
      assert.equal(queue.size, 0);
      assert.equal(gone.filter((batch) => batch.deref() !== undefined).length, 0);
    });
  });
});
