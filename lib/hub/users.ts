/** The users of a hub beside its operator: their clients, their tokens, which task groups are whose, and what waits for each. */
import type { Store } from '../storage/index.js';
import { ClientBook } from './clients.js';
import { TaskGroupBook } from './task-groups.js';
import { TokenBook } from './tokens.js';
import { type UserLimits, UserLoad } from './user-load.js';

export class Users {
  readonly groups: TaskGroupBook;

  private constructor(
    store: Store,
    readonly clients: ClientBook,
    readonly tokens: TokenBook,
    readonly load: UserLoad,
  ) {
    this.groups = new TaskGroupBook(store);
    clients.onRevoked = (clientId) => tokens.revokeAllOf(clientId);
  }

  static async open(store: Store, limits: UserLimits | undefined): Promise<Users> {
    const clients = new ClientBook(store);
    return new Users(store, clients, await TokenBook.open(store, clients), new UserLoad(limits));
  }
}
