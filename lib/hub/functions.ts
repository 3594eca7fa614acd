/** The registered functions: kept in the store, searched there, and their code held in memory while tasks need it. */
import { createHash, randomUUID } from 'node:crypto';
import { type FunctionId, isUuid } from '../compute/ids.js';
import { MAX_FUNCTION_NAME_CHARS, MAX_SEARCH_WINDOW, MAX_SUBMISSION_BYTES } from '../compute/limits.js';
import type {
  FunctionHit,
  FunctionInfo,
  FunctionRegistration,
  FunctionRegistrationReply,
  FunctionSearchPage,
} from '../compute/service.js';
import { codePointLength, unpackFunction } from '../serialization/index.js';
import type { Row, SqlValue, Store } from '../storage/index.js';
import type { Access, Identity } from './identity.js';
import { functionNotFound, functionTooLarge, invalidUuid, malformed } from './refusals.js';
import type { LoadableFunction } from './workers/process.js';

/** Code of functions that no task needs now is dropped from memory beyond this. Unit: characters. */
const HELD_CODE_CHARS = 64 * 1024 * 1024;

/** `delete_function` answers with the HTTP status inside its body. Source: funcx-web-service, `delete_function`. */
const DELETED = 302;
const UNKNOWN = 404;

interface Held extends LoadableFunction {
  readonly access: Access;
  /** Nothing new may use it; tasks that were accepted before still do. */
  deleted: boolean;
  /** The same with other encodings of its results, by {@link TaskBatch.serializers}: to a worker each is a function. */
  variants: Map<string, LoadableFunction> | undefined;
}

export class FunctionBook {
  readonly #store: Store;
  readonly #author: string;
  /** Whether tasks that have not ended need a function. */
  readonly #inUse: (id: FunctionId) => boolean;
  readonly #loaded = new Map<FunctionId, Held>();
  #heldChars = 0;
  #nextKey = 1;
  /** Told when a function is dropped from memory, so that the workers drop it too. */
  onDropped: (key: number) => void = () => {};

  constructor(store: Store, author: string, inUse: (id: FunctionId) => boolean) {
    this.#store = store;
    this.#author = author;
    this.#inUse = inUse;
  }

  /**
   * Registers a function, or finds it: the same registration by the same user gets the same id, so that a flow that
   * registers at every start does not fill the hub.
   *
   * @param owner @default the operator
   */
  async register(body: FunctionRegistration, owner?: Identity): Promise<FunctionRegistrationReply> {
    check(body);
    const hash = createHash('sha256')
      .update(JSON.stringify(owner === undefined ? canonical(body) : [...canonical(body), owner.id]))
      .digest('hex');
    const known = await this.#store.get('SELECT function_uuid FROM functions WHERE content_hash = ?', [hash]);
    const access = accessOf(body, owner?.id);
    if (known !== undefined) return this.#registered(known, body, access);
    const id = randomUUID();
    const registration = Buffer.from(JSON.stringify(body), 'utf8');
    this.#store.write(
      `INSERT INTO functions
         (function_uuid, content_hash, registration, author, created_at, owner, public, group_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (content_hash) DO NOTHING`,
      [
        id,
        hash,
        registration,
        owner?.username ?? this.#author,
        Date.now(),
        owner?.id ?? null,
        access.public ? 1 : 0,
        access.group ?? null,
      ],
    );
    this.#store.write(
      `INSERT INTO function_index (rowid, name, description, author, source)
       SELECT number, ?, ?, author, ? FROM functions WHERE function_uuid = ?`,
      [plain(body.function_name), plain(body.description), plain(unpackFunction(body.function_code)?.source), id],
    );
    await this.#store.committed();
    // Two registrations of the same content at once: both get the id of the one that was written.
    const row = await this.#store.get('SELECT function_uuid FROM functions WHERE content_hash = ?', [hash]);
    return this.#registered(row ?? { function_uuid: id }, body, access);
  }

  /** Who registers a function is about to call it: it is held already, even if the store cannot be read by then. */
  #registered(row: Row, { function_code }: FunctionRegistration, access: Access): FunctionRegistrationReply {
    const id = String(row.function_uuid);
    this.#hold(id as FunctionId, function_code, access);
    return { function_uuid: id };
  }

  /** Whose a function is and who else may use it. Throws FUNCTION_NOT_FOUND. */
  async access(id: FunctionId): Promise<Access> {
    const held = this.#loaded.get(id);
    if (held?.deleted === false) return held.access;
    const row = await this.#row(id);
    if (row === undefined) throw functionNotFound(id);
    return accessOfRow(row);
  }

  async get(id: FunctionId): Promise<FunctionInfo> {
    const row = await this.#row(id);
    if (row === undefined) throw functionNotFound(id);
    const { function_name, description, function_code, meta } = registrationOf(row);
    return {
      function_uuid: id,
      function_name,
      ...(description !== undefined && { description }),
      function_code,
      metadata: { python_version: meta.python_version, sdk_version: meta.sdk_version },
    };
  }

  /** Tasks of it that were accepted run nevertheless, as the service keeps the code with each task. */
  async delete(id: FunctionId): Promise<{ result: number }> {
    const row = await this.#row(id);
    if (row === undefined) return { result: UNKNOWN };
    this.#store.write('DELETE FROM functions WHERE number = ?', [row.number ?? null]);
    this.#store.write('DELETE FROM function_index WHERE rowid = ?', [row.number ?? null]);
    await this.#store.committed();
    for (const [loaded, held] of this.#loaded) {
      if (loaded.toLowerCase() !== row.function_uuid) continue;
      held.deleted = true;
      if (!this.#inUse(loaded)) this.#drop(loaded);
    }
    return { result: DELETED };
  }

  /**
   * Best match first; with an empty query all functions, the newest first.
   *
   * @param viewer who gets only what he may use @default the operator, who may use all
   */
  async search(q: string, offset: number, limit: number, viewer?: Identity): Promise<FunctionSearchPage> {
    if (!Number.isInteger(offset) || offset < 0) throw malformed(`offset is ${offset}; expected an integer from 0.`);
    if (!Number.isInteger(limit) || limit < 1) throw malformed(`limit is ${limit}; expected an integer from 1.`);
    if (offset + limit > MAX_SEARCH_WINDOW) {
      throw malformed(
        `offset + limit is ${offset + limit}; the search ends at ${MAX_SEARCH_WINDOW}. Refine the query.`,
      );
    }
    const match = matchExpression(q);
    const from =
      match === undefined ? 'functions' : 'function_index JOIN functions ON functions.number = function_index.rowid';
    const conditions = match === undefined ? [] : ['function_index MATCH ?'];
    const params: SqlValue[] = match === undefined ? [] : [match];
    if (viewer !== undefined) {
      conditions.push('(owner = ? OR public = 1 OR group_id IN (SELECT value FROM json_each(?)))');
      params.push(viewer.id, JSON.stringify(viewer.groups ?? []));
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const order =
      match === undefined ? 'created_at DESC, number DESC' : 'bm25(function_index, 10.0, 4.0, 2.0, 1.0), number DESC';
    const [total, rows] = await Promise.all([
      this.#store.get(`SELECT count(*) AS total FROM ${from} ${where}`, params),
      this.#store.all(`SELECT functions.* FROM ${from} ${where} ORDER BY ${order} LIMIT ? OFFSET ?`, [
        ...params,
        limit,
        offset,
      ]),
    ]);
    const count = Number(total?.total ?? 0);
    return {
      results: rows.map(hitOf),
      count: rows.length,
      total: count,
      offset,
      has_next_page: offset + rows.length < count,
    };
  }

  /** Whether new tasks can use the function at once; otherwise {@link load} has to be called first. */
  isHeld(id: FunctionId): boolean {
    return this.#loaded.get(id)?.deleted === false;
  }

  /**
   * The function of a task that was accepted.
   *
   * @param serializers how its results are to be written; see {@link TaskBatch.serializers}
   */
  held(id: FunctionId, serializers?: string): LoadableFunction | undefined {
    const held = this.#loaded.get(id);
    if (held === undefined || serializers === undefined) return held;
    held.variants ??= new Map();
    let variant = held.variants.get(serializers);
    if (variant === undefined) {
      variant = { key: this.#nextKey++, code: held.code, serializers: serializers.split(' ') };
      held.variants.set(serializers, variant);
      this.#heldChars += held.code.length;
    }
    return variant;
  }

  /** Brings functions into memory. Throws FUNCTION_NOT_FOUND. */
  async load(ids: readonly FunctionId[]): Promise<void> {
    for (const id of ids) {
      if (this.isHeld(id)) continue;
      const row = await this.#row(id);
      if (row === undefined) throw functionNotFound(id);
      this.#hold(id, registrationOf(row).function_code, accessOfRow(row));
    }
    for (const [id, { deleted }] of this.#loaded) {
      if (!deleted && this.#heldChars <= HELD_CODE_CHARS) continue;
      if (!ids.includes(id) && !this.#inUse(id)) this.#drop(id);
    }
  }

  #drop(id: FunctionId): void {
    const held = this.#loaded.get(id);
    if (held === undefined) return;
    this.#loaded.delete(id);
    this.#heldChars -= held.code.length * (1 + (held.variants?.size ?? 0));
    this.onDropped(held.key);
    for (const { key } of held.variants?.values() ?? []) this.onDropped(key);
  }

  #hold(id: FunctionId, code: string, access: Access): void {
    if (this.#loaded.has(id)) return;
    this.#loaded.set(id, { key: this.#nextKey++, code, access, deleted: false, variants: undefined });
    this.#heldChars += code.length;
  }

  #row(id: FunctionId): Promise<Row | undefined> {
    if (!isUuid(id)) throw invalidUuid('The function id', id);
    return this.#store.get('SELECT * FROM functions WHERE function_uuid = ?', [id.toLowerCase()]);
  }
}

function check(body: FunctionRegistration): void {
  const { function_name, function_code, group } = body;
  if (typeof function_name !== 'string' || function_name === '') throw malformed('function_name is missing.');
  const characters = codePointLength(function_name);
  if (characters > MAX_FUNCTION_NAME_CHARS) {
    throw malformed(`function_name has ${characters} characters; at most ${MAX_FUNCTION_NAME_CHARS} are kept.`);
  }
  if (typeof function_code !== 'string' || function_code === '') throw malformed('function_code is missing.');
  const bytes = Buffer.byteLength(function_code);
  if (bytes > MAX_SUBMISSION_BYTES) throw functionTooLarge(bytes);
  if (group !== undefined && !isUuid(group)) throw invalidUuid('The group', group);
}

/** What makes two registrations the same. */
function canonical({
  function_name,
  function_code,
  description,
  group,
  public: open,
}: FunctionRegistration): unknown[] {
  return [function_name, function_code, description ?? '', group ?? '', open === true];
}

function registrationOf(row: Row): FunctionRegistration {
  return JSON.parse(Buffer.from(row.registration as Uint8Array).toString('utf8')) as FunctionRegistration;
}

function accessOf(body: FunctionRegistration, owner: string | undefined): Access {
  return { owner, public: body.public === true, group: body.group?.toLowerCase() };
}

function accessOfRow(row: Row): Access {
  return accessOf(registrationOf(row), row.owner === null ? undefined : String(row.owner));
}

function hitOf(row: Row): FunctionHit {
  const registration = registrationOf(row);
  return {
    function_uuid: row.function_uuid as FunctionId,
    function_name: registration.function_name,
    function_source: unpackFunction(registration.function_code)?.source ?? '',
    description: registration.description ?? '',
    author: String(row.author),
    public: registration.public === true,
    group: registration.group ?? '',
    created_at: new Date(Number(row.created_at)).toISOString(),
  };
}

/** Text for the full-text index, which ends at a NUL. */
function plain(text: string | undefined): string {
  return (text ?? '').replaceAll('\0', ' ');
}

/** Free text as an FTS5 expression: any word that begins so, each quoted so that no operator of FTS5 is meant. */
function matchExpression(q: string): string | undefined {
  const words = q.match(/[\p{L}\p{N}]+/gu);
  return words?.map((word) => `"${word}"*`).join(' OR ');
}
