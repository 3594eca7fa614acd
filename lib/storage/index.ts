/** A SQLite file in a thread of its own, with group commit. */

export type { Damage } from './damage.js';
export { DRIVER_VARIABLE, type DriverName } from './database.js';
export { StoreFailed, StoreLocked } from './errors.js';
export type { Contributor, Write } from './group-commit.js';
export { parseHolder, type Standing, standingOf, thisProcess } from './holder.js';
export { joined } from './shared-bytes.js';
export { Store, type StoreEvents, type StoreOptions } from './store.js';
export type { Row, SqlValue } from './values.js';
