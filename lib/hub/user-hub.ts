/**
 * The hub as one of its users may use it: own things, public ones, and functions of groups that the user is in. Everything
 * that comes from outside goes through here; the hub itself, in its own process, knows no restrictions.
 */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../compute/errors.js';
import { type EndpointId, type FunctionId, isUuid, type TaskGroupId, type TaskId } from '../compute/ids.js';
import type {
  ConsoleUserEndpoint,
  EndpointInfo,
  EndpointListEntry,
  EndpointLock,
  EndpointRegistration,
  EndpointRegistrationReply,
  EndpointStatus,
  FunctionInfo,
  FunctionRegistration,
  FunctionRegistrationReply,
  FunctionSearchPage,
  ResultConnection,
  Submission,
  SubmitReply,
  TaskGroupInfo,
  TaskStatus,
  VersionInfo,
} from '../compute/service.js';
import type { EndpointAccess } from './endpoint.js';
import type { FunctionBook } from './functions.js';
import type { Hub } from './hub.js';
import { type Identity, isOwner, mayUse } from './identity.js';
import {
  endpointForbidden,
  functionForbidden,
  functionNotPermitted,
  invalidUuid,
  taskGroupForbidden,
  taskGroupNotFound,
  taskNotFound,
} from './refusals.js';
import type { TaskBook } from './task-book.js';
import type { Users } from './users.js';

/** `delete_function` answers with the HTTP status inside its body. Source: funcx-web-service, `delete_function`. */
const NOT_OWNER = 403;
const UNKNOWN = 404;

/** What of the hub is looked into to decide who may do what. */
export interface Books {
  readonly functions: FunctionBook;
  readonly tasks: TaskBook;
  readonly users: Users;
}

export class UserHub {
  readonly identity: Identity;
  readonly #hub: Hub;
  readonly #books: Books;

  constructor(hub: Hub, books: Books, identity: Identity) {
    this.#hub = hub;
    this.#books = books;
    this.identity = identity;
  }

  version(): Promise<VersionInfo> {
    return this.#hub.version();
  }

  /** Of all users, as the service counts them. */
  get invocations(): number {
    return this.#hub.invocations;
  }

  registerFunction(body: FunctionRegistration): Promise<FunctionRegistrationReply> {
    return this.#books.functions.register(body, this.identity);
  }

  async getFunction(id: FunctionId): Promise<FunctionInfo> {
    await this.#assertMayRun(id);
    return this.#hub.getFunction(id);
  }

  async deleteFunction(id: FunctionId): Promise<{ result: number }> {
    const access = await unless('FUNCTION_NOT_FOUND', this.#books.functions.access(id));
    if (access === undefined) return { result: UNKNOWN };
    return isOwner(this.identity, access) ? this.#hub.deleteFunction(id) : { result: NOT_OWNER };
  }

  searchFunctions(q: string, offset: number, limit: number): Promise<FunctionSearchPage> {
    return this.#books.functions.search(q, offset, limit, this.identity);
  }

  async listEndpoints(role: 'owner' | 'any' = 'owner'): Promise<EndpointListEntry[]> {
    const seen: EndpointListEntry[] = [];
    for (const entry of await this.#hub.listEndpoints()) {
      const access = await this.#hub.endpointAccess(entry.uuid as EndpointId);
      const isSeen = role === 'owner' ? this.#owns(access) : this.#mayUse(access);
      if (isSeen) seen.push({ ...entry, owner: access.ownerId ?? this.#hub.operator.id });
    }
    return seen;
  }

  async getEndpoint(id: EndpointId): Promise<EndpointInfo> {
    const access = await this.#assertMayUse(id);
    const info = await this.#hub.getEndpoint(id);
    return this.#owns(access) ? info : publicPart(info);
  }

  async endpointStatus(id: EndpointId): Promise<EndpointStatus> {
    await this.#assertMayUse(id);
    return this.#hub.endpointStatus(id);
  }

  /** For its owner alone, be it public: it shows what other users have running there. */
  async endpointConsole(id: EndpointId): Promise<ConsoleUserEndpoint[]> {
    await this.#assertOwns(id);
    return this.#hub.endpointConsole(id);
  }

  async allowedFunctions(id: EndpointId): Promise<readonly string[] | undefined> {
    return (await this.#assertMayUse(id)).allowedFunctions;
  }

  registerEndpoint(registration: EndpointRegistration): Promise<EndpointRegistrationReply> {
    return this.#hub.registerEndpoint(registration, this.identity);
  }

  /** Registers an agent under an id that it has already; see {@link Hub.registerEndpoint}. */
  async registerEndpointAs(id: EndpointId, registration: EndpointRegistration): Promise<EndpointRegistrationReply> {
    const access = await unless('ENDPOINT_NOT_FOUND', this.#hub.endpointAccess(id));
    if (access !== undefined && !this.#owns(access)) throw endpointForbidden(id);
    return this.#hub.registerEndpoint(registration, this.identity, id);
  }

  async deleteEndpoint(id: EndpointId): Promise<{ result: number }> {
    await this.#assertOwns(id);
    return this.#hub.deleteEndpoint(id);
  }

  async lockEndpoint(id: EndpointId): Promise<EndpointLock> {
    await this.#assertOwns(id);
    return this.#hub.lockEndpoint(id);
  }

  resultConnection(): Promise<ResultConnection> {
    return this.#hub.resultConnection(this.identity);
  }

  /** As the hub's. */
  async submit(endpointId: EndpointId, body: Submission): Promise<SubmitReply> {
    const access = await this.#assertMayUse(endpointId);
    for (const id of Object.keys(body.tasks) as FunctionId[]) {
      await this.#assertMayRun(id);
      if (access.allowedFunctions?.includes(id.toLowerCase()) === false) throw functionNotPermitted(id, endpointId);
    }
    this.#books.users.load.assertRoom(this.identity.id, Object.values(body.tasks));
    const group = body.task_group_id ?? (randomUUID() as TaskGroupId);
    if (body.task_group_id !== undefined) await this.#assertOwnsGroup(group);
    this.#books.users.groups.use(group, this.identity.id);
    return this.#hub.submit(endpointId, { ...body, task_group_id: group }, this.identity);
  }

  /** A task of somebody else is as one that never was. */
  async getTask(id: TaskId): Promise<TaskStatus> {
    if (!isUuid(id)) throw invalidUuid('The task id', id);
    if (!(await this.#ownTasks([id])).has(id)) throw taskNotFound(id);
    return this.#hub.getTask(id);
  }

  async batchStatus(ids: readonly TaskId[]): Promise<Record<string, TaskStatus>> {
    const own = await this.#ownTasks(ids);
    const statuses = await this.#hub.batchStatus([...own]);
    const results: Record<string, TaskStatus> = {};
    for (const id of ids) {
      results[id] = statuses[id] ?? { task_id: id, status: 'failed', reason: 'Unknown task id' };
    }
    return results;
  }

  async taskGroup(id: TaskGroupId): Promise<TaskGroupInfo> {
    await this.#assertOwnsGroup(id);
    return this.#hub.taskGroup(id);
  }

  async #ownTasks(ids: readonly TaskId[]): Promise<Set<TaskId>> {
    const groups = await this.#books.tasks.groupsOf(ids);
    const owners = await this.#books.users.groups.owners(new Set(groups.values()));
    const own = new Set<TaskId>();
    for (const [id, group] of groups) if (owners.get(group) === this.identity.id) own.add(id);
    return own;
  }

  async #assertMayRun(id: FunctionId): Promise<void> {
    if (!mayUse(this.identity, await this.#books.functions.access(id))) throw functionForbidden(id);
  }

  async #assertOwnsGroup(id: TaskGroupId): Promise<void> {
    if (!isUuid(id)) throw invalidUuid('The task group', id);
    const owner = (await this.#books.users.groups.owners([id])).get(id);
    if (owner === undefined) throw taskGroupNotFound(id);
    if (owner !== this.identity.id) throw taskGroupForbidden(id);
  }

  async #assertMayUse(id: EndpointId): Promise<EndpointAccess> {
    const access = await this.#hub.endpointAccess(id);
    if (!this.#mayUse(access)) throw endpointForbidden(id);
    return access;
  }

  async #assertOwns(id: EndpointId): Promise<void> {
    if (!this.#owns(await this.#hub.endpointAccess(id))) throw endpointForbidden(id);
  }

  #owns(access: EndpointAccess): boolean {
    return isOwner(this.identity, { owner: access.ownerId, public: access.public });
  }

  #mayUse(access: EndpointAccess): boolean {
    return mayUse(this.identity, { owner: access.ownerId, public: access.public });
  }
}

/** Undefined where a promise is refused with a code. */
async function unless<T>(code: string, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ServiceError && error.code === code) return undefined;
    throw error;
  }
}

/** Without what is its owner's alone: its configuration, and where and as whom it runs. */
function publicPart(info: EndpointInfo): EndpointInfo {
  const { config, endpoint_config, user_config_template, hostname, local_user, ip_address, ...rest } = info;
  return rest;
}
