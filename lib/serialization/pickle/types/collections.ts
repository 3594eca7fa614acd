import { addItems, isDict } from '../dicts.js';
import type { MakerTable } from '../python-objects.js';

/** What is in `collections`. The items of all but Counter come later. */
export const collections: MakerTable = {
  'collections.OrderedDict': ([pairs = []]) => (Array.isArray(pairs) ? dictOf(pairs) : undefined),
  'collections.defaultdict': () => ({}),
  'collections.Counter': ([counts = {}]) => (isDict(counts) ? counts : undefined),
  'collections.deque': ([items = []]) => (Array.isArray(items) ? [...items] : undefined),
};

/** @param pairs `[key, value]` each, as Python 2 wrote an OrderedDict */
function dictOf(pairs: readonly unknown[]): unknown {
  const items = pairs.flatMap((pair) => (Array.isArray(pair) ? pair.slice(0, 2) : []));
  return addItems({}, items, 0, items.length);
}
