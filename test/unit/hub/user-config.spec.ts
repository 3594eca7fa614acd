import assert from 'node:assert/strict';
import type { ServiceError } from '../../../lib/compute/errors.js';
import { UserConfigSchema } from '../../../lib/hub/user-config.js';

/** Matches in exponential time. */
const ENDLESS = '^(a+)+$';
const BAIT = `${'a'.repeat(60)}!`;

describe("a user's configuration and the schema of an endpoint", () => {
  it('is refused as the service refuses it, with every member that is wrong', () => {
    const schema = new UserConfigSchema({
      type: 'object',
      properties: { nodes: { type: 'integer', maximum: 4 }, queue: { pattern: '^[a-z]+$' } },
    });
    schema.check({ nodes: 4, queue: 'long' });
    const refused = refusalOf(() => schema.check({ nodes: 5, queue: 'No' }));
    assert.deepEqual([refused.code, refused.httpStatus], ['SEMANTICALLY_INVALID', 422]);
    assert.match(refused.message, /^Request payload failed validation: .*\.nodes must be <= 4; .*\.queue must match/);
  });

  it('is refused again after one that was valid', () => {
    const schema = new UserConfigSchema({ properties: { nodes: { const: 1 } } });
    for (let round = 0; round < 2; round++) {
      schema.check({ nodes: 1 });
      refusalOf(() => schema.check({ nodes: 2 }));
    }
  });

  for (const [where, keywords, config] of [
    ['a pattern', { properties: { account: { pattern: ENDLESS } } }, { account: BAIT }],
    ['names by a pattern', { patternProperties: { [ENDLESS]: true } }, { [BAIT]: 1 }],
    ['names', { propertyNames: { pattern: ENDLESS } }, { [BAIT]: 1 }],
    ['a schema that refers to itself', { $ref: '#' }, {}],
  ] as const) {
    it(`is refused where ${where} would have it checked for ever`, () => {
      const schema = new UserConfigSchema(keywords);
      const { code, message } = refusalOf(() => schema.check(config));
      assert.equal(code, 'SEMANTICALLY_INVALID');
      assert.match(message, /cannot be checked by the endpoint's schema/);
    });
  }
});

function refusalOf(act: () => void): ServiceError {
  try {
    act();
  } catch (error) {
    return error as ServiceError;
  }
  return assert.fail('It was not refused.');
}
