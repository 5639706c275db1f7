import { constants, DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { Fault } from "#base/fault.ts";
import { isDiskFull, sqliteFault } from "./sqlite-fault.ts";
import { requireDatabaseFile } from "./sqlite-file.ts";
import { isIdle, parameterNames } from "./sqlite-text.ts";

export type SqlValue = null | number | bigint | string | Uint8Array;
/** Values by parameter name without the colon: `:id` takes `id`. */
export type SqlParams = Readonly<Record<string, SqlValue>>;
/** A row as it comes: columns by name. An integer beyond 2^53 is refused, not rounded. */
export type SqlRow = Readonly<Record<string, SQLOutputValue>>;
/** Makes what the caller wants of a raw row; checks it where the schema does not. */
export type ReadRow<Row> = (row: SqlRow) => Row;

/** A prepared statement that answers rows. A parameter left out or unknown is Fault `internal`, never a silent NULL. */
export interface Query<Row> {
  all(params?: SqlParams): Row[];
  /** The first row; undefined when there is none. */
  first(params?: SqlParams): Row | undefined;
}

export interface Change {
  readonly changedRows: number;
  /** Of the last row inserted on this connection. */
  readonly lastRowId: number;
}

/** Something to read from: the database, or a transaction. */
export interface Reader {
  /** Prepared once per text and kept, so a call costs a lookup. Exactly one statement; only a transaction takes one that writes. */
  prepare<Row>(text: string, read: ReadRow<Row>): Query<Row>;
}

/** An open transaction: the only way to write. Refuses everything once it has ended. */
export interface Tx extends Reader {
  run(text: string, params?: SqlParams): Change;
  /** Several statements at once, without parameters; for schemas. */
  script(text: string): void;
}

/** What a transaction may return: anything but a promise, because nothing may wait inside one. */
export type Settled<T> = T extends { then(...args: never): unknown } ? never : T;

/** Whether the disk has room for what is to be written. Reading goes on without. */
export interface Room {
  readonly full: boolean;
  /** Transactions undone since it was full. */
  readonly refused: number;
}

export interface Database extends Reader {
  readonly path: string;
  /** `full` from the first transaction that finds no room until one succeeds. */
  readonly room: Room;
  /**
   * Runs `work` in one transaction (BEGIN IMMEDIATE): its value once committed, all undone when it throws. A promise is
   * refused by the compiler, and at run time undone with Fault `internal`; so is a transaction inside a transaction:
   * pass `tx` on instead. Fault `conflict` when another process keeps writing for longer than the busy timeout.
   */
  tx<T>(work: (tx: Tx) => Settled<T>): T;
  /** Ends the connection; every later use is Fault `internal`. Closing twice is harmless; inside a transaction it is refused. */
  close(): void;
}

export interface OpenOptions {
  /** Reads only and makes no file; `tx` is Fault `denied`. */
  readonly readOnly?: boolean | undefined;
  /** How long to wait for another process' write; 5,000 when left out. The thread waits with it. */
  readonly busyTimeoutMs?: number | undefined;
}

/**
 * Opens a database file, made with mode 0600 when it is not there; the folder must exist. Only what is a sound SQLite
 * file is opened, and nothing else is ever overwritten: Faults `missing`, `denied`, `invalid` (not a database, damaged),
 * `conflict` (a folder, locked), `unreachable` (disk full), each with a hint.
 *
 * WAL, so that readers and the writer do not wait for each other; foreign keys are held.
 *
 * Synchronous FULL, because a wish that was acknowledged must survive a power cut, and wishes are few. It promises: when `tx` has
 * returned, the log was flushed to the disk (fsync), so neither a kill -9 nor a crash of the system nor a power cut takes
 * the transaction back, and none leaves half of one (each frame of the log has a checksum, and what follows the last whole commit is
 * ignored). NORMAL would stay whole as well, but lose the newest ones with the power. It does not promise more than the
 * disk keeps: one that says "flushed" while the bytes are in a cache without a battery, some USB bridges and virtual
 * machines with `cache=unsafe` among them, loses what it said to have.
 */
export function openDatabase(path: string, options: OpenOptions = {}): Database {
  const readOnly = options.readOnly ?? false;
  const busyTimeoutMs = options.busyTimeoutMs ?? 5_000;
  requireDatabaseFile(path, readOnly ? "only open" : "make");
  return new OpenDatabase(path, connect(path, readOnly, busyTimeoutMs), readOnly);
}

function connect(path: string, readOnly: boolean, busyTimeoutMs: number): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, {
      readOnly,
      timeout: busyTimeoutMs,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      allowUnknownNamedParameters: false,
      defensive: true,
    });
    connection.exec("PRAGMA trusted_schema = OFF");
    // Reads the header and the schema, so that a file that is none of ours is told before it is touched.
    connection.prepare("SELECT count(*) FROM sqlite_schema").get();
    if (!readOnly) {
      connection.exec("PRAGMA synchronous = FULL");
      connection.exec("PRAGMA journal_mode = WAL");
    }
    return connection;
  } catch (thrown) {
    connection?.close();
    throw sqliteFault(thrown, "open the database", path);
  }
}

/** Far more than the program has; a limit for texts that are put together as they are used. */
const keptStatements = 1_000;

interface Prepared {
  readonly statement: StatementSync;
  readonly parameters: readonly string[];
  readonly writes: boolean;
}

/** What a statement may do outside a transaction. */
const readingActions: readonly number[] = [
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
  constants.SQLITE_PRAGMA,
];
/** What nobody may do but `tx` itself. */
const reservedActions: readonly number[] = [
  constants.SQLITE_TRANSACTION,
  constants.SQLITE_SAVEPOINT,
  constants.SQLITE_ATTACH,
  constants.SQLITE_DETACH,
];

class OpenDatabase implements Database {
  readonly path: string;
  room: Room = { full: false, refused: 0 };
  readonly #connection: DatabaseSync;
  readonly #readOnly: boolean;
  readonly #prepared = new Map<string, Prepared>();
  #tx: OpenTx | undefined;
  /** Set by the authorizer while a statement is prepared. */
  #writes = false;
  /** A statement of our own is under way. */
  #own = false;
  #closed = false;

  constructor(path: string, connection: DatabaseSync, readOnly: boolean) {
    this.path = path;
    this.#connection = connection;
    this.#readOnly = readOnly;
    connection.setAuthorizer((action) => {
      if (!readingActions.includes(action)) this.#writes = true;
      return !this.#own && reservedActions.includes(action) ? constants.SQLITE_DENY : constants.SQLITE_OK;
    });
  }

  prepare<Row>(text: string, read: ReadRow<Row>): Query<Row> {
    const find = (): Prepared => {
      const found = this.find(text);
      if (found.writes) throw defect("a statement that writes was used outside a transaction", { text });
      return found;
    };
    find();
    return this.query(text, find, read);
  }

  tx<T>(work: (tx: Tx) => Settled<T>): T {
    this.#requireOpen();
    if (this.#tx)
      throw defect("a transaction was begun inside a transaction", { hint: "Pass the open one on instead." });
    if (this.#readOnly) throw new Fault("denied", `${this.path} is open for reading only`);
    const tx = new OpenTx(this, this.#connection);
    try {
      this.#control("BEGIN IMMEDIATE", "begin a transaction in");
      this.#tx = tx;
      const value: unknown = work(tx);
      refuseThenable(value);
      tx.requireOpen();
      this.#control("COMMIT", "commit to");
      if (this.room.full) this.room = { full: false, refused: 0 };
      return value as T;
    } catch (thrown) {
      if (isDiskFull(thrown)) this.room = { full: true, refused: this.room.refused + 1 };
      // SQLite has undone it already when the disk was full or failed.
      if (this.#connection.isTransaction) this.#control("ROLLBACK", "undo a transaction in");
      throw thrown;
    } finally {
      tx.end();
      this.#tx = undefined;
    }
  }

  close(): void {
    if (this.#closed) return;
    if (this.#tx) throw defect(`${this.path} was closed inside a transaction`);
    this.#closed = true;
    this.#prepared.clear();
    this.#connection.close();
  }

  /** The prepared statement of this text. */
  find(text: string): Prepared {
    this.#requireOpen();
    const known = this.#prepared.get(text);
    if (known) return known;
    this.#writes = false;
    const statement = this.attempt(text, () => this.#connection.prepare(text));
    if (!isIdle(text.slice(statement.sourceSQL.length)))
      throw defect("a text of several statements was prepared", { text });
    const prepared = { statement, parameters: parameterNames(text), writes: this.#writes };
    if (this.#prepared.size >= keptStatements) this.#prepared.delete(this.#prepared.keys().next().value ?? "");
    this.#prepared.set(text, prepared);
    return prepared;
  }

  query<Row>(text: string, find: () => Prepared, read: ReadRow<Row>): Query<Row> {
    const bind = (params: SqlParams) => {
      const { statement, parameters } = find();
      requireParams(text, parameters, params);
      return statement;
    };
    return {
      all: (params = {}) => {
        const statement = bind(params);
        return this.attempt(text, () => statement.all(params)).map((row) => read(row));
      },
      first: (params = {}) => {
        const statement = bind(params);
        const row = this.attempt(text, () => statement.get(params));
        return row === undefined ? undefined : read(row);
      },
    };
  }

  /** Does it; what node:sqlite throws becomes a Fault that names the file. */
  attempt<T>(text: string, deed: () => T): T {
    try {
      return deed();
    } catch (thrown) {
      throw sqliteFault(thrown, "use the database", this.path, text);
    }
  }

  #control(text: string, deed: string): void {
    this.#own = true;
    try {
      this.#connection.exec(text);
    } catch (thrown) {
      throw sqliteFault(thrown, deed, this.path);
    } finally {
      this.#own = false;
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw defect(`the database ${this.path} was used after it was closed`);
  }
}

class OpenTx implements Tx {
  readonly #database: OpenDatabase;
  readonly #connection: DatabaseSync;
  #ended = false;

  constructor(database: OpenDatabase, connection: DatabaseSync) {
    this.#database = database;
    this.#connection = connection;
  }

  prepare<Row>(text: string, read: ReadRow<Row>): Query<Row> {
    const find = () => {
      this.requireOpen();
      return this.#database.find(text);
    };
    find();
    return this.#database.query(text, find, read);
  }

  run(text: string, params: SqlParams = {}): Change {
    this.requireOpen();
    const { statement, parameters } = this.#database.find(text);
    requireParams(text, parameters, params);
    const { changes, lastInsertRowid } = this.#database.attempt(text, () => statement.run(params));
    return { changedRows: Number(changes), lastRowId: Number(lastInsertRowid) };
  }

  script(text: string): void {
    this.requireOpen();
    this.#database.attempt(text, () => this.#connection.exec(text));
  }

  /** Also notices that SQLite itself has undone the transaction, after which a statement would stand alone. */
  requireOpen(): void {
    if (this.#ended) throw defect("a transaction was used after its end");
    if (!this.#connection.isTransaction) throw defect("a transaction went on after the database had undone it");
  }

  end(): void {
    this.#ended = true;
  }
}

function defect(message: string, more: { readonly hint?: string; readonly text?: string } = {}): Fault {
  return new Fault("internal", message, { hint: more.hint, details: more.text && { sql: more.text } });
}

function refuseThenable(value: unknown): void {
  if (typeof value !== "object" && typeof value !== "function") return;
  if (value === null || !("then" in value) || typeof value.then !== "function") return;
  // Its own failure, if it comes, must not be an unhandled rejection besides.
  if (value instanceof Promise) value.catch(() => {});
  throw defect("a transaction returned a promise", { hint: "Do what waits before or after the transaction." });
}

/** SQLite would read a parameter that is left out as NULL. */
function requireParams(text: string, parameters: readonly string[], params: SqlParams): void {
  for (const name of parameters) {
    if (!Object.hasOwn(params, name)) throw defect(`the parameter ${name} has no value`, { text });
  }
}
