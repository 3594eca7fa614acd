import assert from 'node:assert/strict';
import { withinTime } from '../../../lib/hub/time-limit.js';

describe('work with a time limit', () => {
  it('that does not end is stopped, and the next is done', () => {
    const forEver = () => {
      for (;;);
    };
    assert.throws(() => withinTime(10, forEver), { code: 'BAD_INPUT', message: /longer than 10 ms/ });
    assert.equal(
      withinTime(1000, () => 42),
      42,
    );
  });

  it('that fails, fails with its own error', () => {
    const error = new Error('of the work');
    const fail = () => {
      throw error;
    };
    assert.throws(
      () => withinTime(1000, fail),
      (thrown) => thrown === error,
    );
  });
});
