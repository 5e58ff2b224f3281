internal import Glibc
internal import StoreCore

/// The tables, by version. A data directory of a newer version is refused; an older one is brought up, step by step, each step in
/// a transaction.
enum Schema {
    /// Marks the file as this store's (`PRAGMA application_id`).
    static let applicationID: Int64 = 0x7073_7031
    static let version = Int64(steps.count)

    /// `steps[n]` brings version n to n + 1.
    static let steps: [String] = [
        versionOne, versionTwo, versionThree, versionFour, versionFive, versionSix, versionSeven, versionEight,
    ]

    /// The first that knows store time.
    private static let versionOfStoreTime = 4

    /// Every interval of membership holds for positions `from_seq < seq < to_seq`; those that still hold end at
    /// ``MembershipHistory/forever``.
    private static let versionOne = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

        CREATE TABLE app(
          app INTEGER PRIMARY KEY, appkey TEXT NOT NULL, name TEXT NOT NULL, secret TEXT NOT NULL,
          interfaces INTEGER NOT NULL, scope TEXT, disabled INTEGER NOT NULL, removed INTEGER NOT NULL DEFAULT 0);

        CREATE TABLE org(
          org INTEGER PRIMARY KEY, org_id TEXT NOT NULL, name TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0,
          android INTEGER NOT NULL DEFAULT 0, ios INTEGER NOT NULL DEFAULT 0,
          test_android INTEGER NOT NULL DEFAULT 0, test_ios INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE org_parent(
          org INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, parent INTEGER,
          PRIMARY KEY(org, from_seq)) WITHOUT ROWID;
        CREATE INDEX org_parent_down ON org_parent(parent, org);

        CREATE TABLE holder(user INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE);

        CREATE TABLE device(
          ordinal INTEGER PRIMARY KEY, key INTEGER NOT NULL, token TEXT NOT NULL, platform INTEGER NOT NULL,
          org INTEGER NOT NULL, org_since INTEGER NOT NULL, user INTEGER, user_since INTEGER NOT NULL,
          test INTEGER NOT NULL, test_since INTEGER NOT NULL, created_seq INTEGER NOT NULL, retired_seq INTEGER NOT NULL,
          salt BLOB NOT NULL, hash BLOB NOT NULL);
        CREATE INDEX device_by_key ON device(key) WHERE retired_seq = \(MembershipHistory.forever);
        CREATE INDEX device_by_org ON device(org, ordinal);
        CREATE INDEX device_by_user ON device(user, ordinal) WHERE user IS NOT NULL;
        CREATE INDEX device_retired ON device(retired_seq) WHERE retired_seq < \(MembershipHistory.forever);
        CREATE TABLE past_org(
          ordinal INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, org INTEGER NOT NULL,
          PRIMARY KEY(ordinal, from_seq)) WITHOUT ROWID;
        CREATE INDEX past_org_by_org ON past_org(org, ordinal);
        CREATE INDEX past_org_ended ON past_org(to_seq);
        CREATE TABLE past_user(
          ordinal INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, user INTEGER NOT NULL,
          PRIMARY KEY(ordinal, from_seq)) WITHOUT ROWID;
        CREATE INDEX past_user_by_user ON past_user(user, ordinal);
        CREATE INDEX past_user_ended ON past_user(to_seq);
        CREATE TABLE past_test(
          ordinal INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL,
          PRIMARY KEY(ordinal, from_seq)) WITHOUT ROWID;
        CREATE INDEX past_test_ended ON past_test(to_seq);

        CREATE TABLE message(
          seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, app INTEGER NOT NULL, target INTEGER NOT NULL,
          flags INTEGER NOT NULL, within INTEGER, created INTEGER NOT NULL, expires INTEGER,
          payload BLOB, body_start INTEGER, body_end INTEGER, display INTEGER, tag TEXT, description TEXT,
          out_biz_no TEXT, fingerprint BLOB, version INTEGER, ref INTEGER,
          targeted INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
          status INTEGER NOT NULL DEFAULT 0, ended_at INTEGER);
        CREATE TABLE counter(
          seq INTEGER PRIMARY KEY, delivered INTEGER NOT NULL, withdrawn INTEGER NOT NULL, skipped INTEGER NOT NULL,
          joined INTEGER NOT NULL, opened INTEGER NOT NULL, applied INTEGER NOT NULL, failed INTEGER NOT NULL,
          state INTEGER NOT NULL, completed_at INTEGER);
        CREATE TABLE receipt(
          seq INTEGER NOT NULL, kind INTEGER NOT NULL, chunk INTEGER NOT NULL, bits BLOB NOT NULL,
          PRIMARY KEY(seq, kind, chunk)) WITHOUT ROWID;
        CREATE TABLE event(
          seq INTEGER NOT NULL, event INTEGER NOT NULL, ordinal INTEGER NOT NULL, detail TEXT,
          PRIMARY KEY(seq, event, ordinal)) WITHOUT ROWID;
        CREATE TABLE current_config(
          kind INTEGER NOT NULL, target TEXT NOT NULL, app INTEGER NOT NULL, tag TEXT NOT NULL, test INTEGER NOT NULL,
          seq INTEGER NOT NULL, within INTEGER, PRIMARY KEY(kind, target, app, tag, test)) WITHOUT ROWID;
        CREATE INDEX current_config_within ON current_config(within, kind) WHERE within IS NOT NULL;

        CREATE TABLE cursor(page INTEGER PRIMARY KEY, cells BLOB NOT NULL);
        CREATE TABLE beyond(ordinal INTEGER PRIMARY KEY, positions BLOB NOT NULL);

        CREATE TABLE target_index(
          target INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(target, seq)) WITHOUT ROWID;
        CREATE TABLE biz_index(
          app INTEGER NOT NULL, hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(app, hash, seq)) WITHOUT ROWID;
        CREATE TABLE tag_index(
          app INTEGER NOT NULL, tag TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(app, tag, seq)) WITHOUT ROWID;
        """

    /// The past of users goes, since a user is set once in the life of a holder. And the two kinds of devices have names, so that
    /// no statement writes out what tells them apart: SQLite puts a view's condition into the statement and finds the same index.
    private static let versionTwo = """
        DROP TABLE past_user;
        CREATE VIEW live_device AS SELECT * FROM device WHERE retired_seq = \(MembershipHistory.forever);
        CREATE VIEW retired_device AS SELECT * FROM device WHERE retired_seq < \(MembershipHistory.forever);
        """

    /// A device may reject a message. By which reason code stands in `event`.
    private static let versionThree = "ALTER TABLE counter ADD COLUMN rejected INTEGER NOT NULL DEFAULT 0;"

    /// What each part of the store adds to the fourth version.
    private static let versionFour = imports + followUps + clock + storeNumbers + sums

    /// Imports that go on by themselves, the text that they have still to apply, and their first failing lines. A part's key is
    /// its import's number and the number of its first line.
    private static let imports = """
        CREATE TABLE import(
          import INTEGER PRIMARY KEY AUTOINCREMENT, import_id TEXT NOT NULL, state INTEGER NOT NULL,
          lines INTEGER NOT NULL DEFAULT 0, line INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL DEFAULT 0,
          updated INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, started INTEGER NOT NULL, ended INTEGER,
          took INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX import_by_id ON import(import_id);
        CREATE TABLE import_part(part INTEGER PRIMARY KEY, lines INTEGER NOT NULL, text BLOB NOT NULL);
        CREATE TABLE import_failure(
          import INTEGER NOT NULL, line INTEGER NOT NULL, code INTEGER NOT NULL, field TEXT, chinese TEXT NOT NULL,
          english TEXT NOT NULL, PRIMARY KEY(import, line)) WITHOUT ROWID;
        """

    /// What changes of the directory have still to do; and configurations of a scope in their order, since they are entered a few
    /// at a time.
    private static let followUps = """
        CREATE TABLE follow_up(
          number INTEGER PRIMARY KEY, position INTEGER NOT NULL, kind INTEGER NOT NULL, subject INTEGER NOT NULL,
          object INTEGER NOT NULL, place INTEGER NOT NULL);
        DROP INDEX current_config_within;
        CREATE INDEX current_config_within ON current_config(within, seq) WHERE within IS NOT NULL;
        CREATE INDEX current_config_by_seq ON current_config(seq);
        """

    /// Store time, and the steps of the wall clock by the position after which each holds.
    private static let clock = """
        CREATE TABLE clock(id INTEGER PRIMARY KEY CHECK(id = 0), base INTEGER NOT NULL, boot TEXT, time INTEGER NOT NULL);
        CREATE TABLE clock_step(
          seq INTEGER PRIMARY KEY, since INTEGER NOT NULL, wall_offset INTEGER NOT NULL, shift INTEGER NOT NULL);
        """

    /// Tasks' ids begin with another number where the store has gone on from a copy.
    private static let storeNumbers = """
        CREATE TABLE store_number(from_seq INTEGER PRIMARY KEY, store INTEGER NOT NULL);
        INSERT INTO store_number(from_seq, store) SELECT 0, value FROM meta WHERE key = 'store';
        DELETE FROM meta WHERE key = 'store';
        """

    /// Sums of tasks by tag and hour, how far they go, and which of the tasks in them expire: nothing is summed yet.
    private static let sums = """
        CREATE TABLE total(
          app INTEGER NOT NULL, tag TEXT NOT NULL, hour INTEGER NOT NULL, tasks INTEGER NOT NULL, targeted INTEGER NOT NULL,
          delivered INTEGER NOT NULL, pending INTEGER NOT NULL, expired INTEGER NOT NULL, superseded INTEGER NOT NULL,
          cancelled INTEGER NOT NULL, withdrawn INTEGER NOT NULL, skipped INTEGER NOT NULL, rejected INTEGER NOT NULL,
          opened INTEGER NOT NULL, applied INTEGER NOT NULL, failed INTEGER NOT NULL,
          first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(app, tag, hour)) WITHOUT ROWID;
        CREATE TABLE total_expiry(seq INTEGER PRIMARY KEY, due INTEGER NOT NULL);
        CREATE INDEX total_expiry_by_due ON total_expiry(due);
        CREATE TABLE summed(upto INTEGER NOT NULL);
        INSERT INTO summed VALUES(0);
        """

    /// What each part of the store adds to the fifth version.
    private static let versionFive = clockSteps + currentConfigurations + pastParents + certificates

    /// Several steps may stand after one position: what was stamped between them is read by their times.
    ///
    /// And what one task adds to its sum; `place` says under which name those devices stand that are in no stored state: 0
    /// pending, 1 expired, 2 superseded, 3 cancelled. See ``TotalTable``.
    private static let clockSteps = """
        DROP VIEW IF EXISTS task_counts;
        ALTER TABLE clock_step RENAME TO former_step;
        CREATE TABLE clock_step(
          seq INTEGER NOT NULL, since INTEGER NOT NULL, wall_offset INTEGER NOT NULL, shift INTEGER NOT NULL,
          PRIMARY KEY(seq, since)) WITHOUT ROWID;
        INSERT INTO clock_step(seq, since, wall_offset, shift) SELECT seq, since, wall_offset, shift FROM former_step;
        DROP TABLE former_step;
        CREATE VIEW task_counts AS
          SELECT message.seq AS seq, kind, app, tag, created, expires, status,
            (created + coalesce(
              (SELECT wall_offset + shift FROM clock_step WHERE seq < message.seq ORDER BY seq DESC, since DESC LIMIT 1),
              (SELECT wall_offset + shift FROM clock_step ORDER BY seq, since LIMIT 1), 0)) / \(TotalKey.hourLength) AS hour,
            targeted + ifnull(joined, 0) AS targeted, ifnull(delivered, 0) AS delivered, ifnull(withdrawn, 0) AS withdrawn,
            message.skipped + ifnull(counter.skipped, 0) AS skipped, ifnull(rejected, 0) AS rejected,
            ifnull(opened, 0) AS opened, ifnull(applied, 0) AS applied, ifnull(failed, 0) AS failed,
            targeted - message.skipped + ifnull(joined - delivered - withdrawn - counter.skipped - rejected, 0) AS rest,
            CASE WHEN status = \(StoredRow.End.cancelled.rawValue) THEN 3
              WHEN status = \(StoredRow.End.superseded.rawValue) THEN 2
              WHEN expires IS NULL OR EXISTS (SELECT 1 FROM total_expiry WHERE seq = message.seq) THEN 0 ELSE 1 END AS place
          FROM message LEFT JOIN counter ON counter.seq = message.seq WHERE tag IS NOT NULL AND ref IS NULL;
        """

    /// Those of a target in their order too: a device that joins it enters them a few at a time.
    private static let currentConfigurations = """
        CREATE INDEX current_config_by_target ON current_config(kind, target, seq);
        """

    /// By the SHA-256 of a certificate, which stands for the secret.
    private static let certificates = "ALTER TABLE device ADD COLUMN certificate BLOB;"

    /// Where organisations were, in the order in which it ended.
    private static let pastParents = """
        CREATE INDEX org_parent_ended ON org_parent(to_seq) WHERE to_seq < \(MembershipHistory.forever);
        CREATE VIEW past_parent AS SELECT * FROM org_parent WHERE to_seq < \(MembershipHistory.forever);
        """

    /// What each part of the store adds to the sixth version.
    private static let versionSix = signing

    /// An app's former secret, the days on which its secrets were used last, and from where, how and how much it may call; and
    /// the nonces that signed requests have used, by the requests' own times.
    private static let signing = """
        ALTER TABLE app ADD COLUMN former_secret TEXT;
        ALTER TABLE app ADD COLUMN hmac_only INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE app ADD COLUMN addresses TEXT;
        ALTER TABLE app ADD COLUMN secret_used INTEGER;
        ALTER TABLE app ADD COLUMN former_secret_used INTEGER;
        ALTER TABLE app ADD COLUMN per_second INTEGER;
        ALTER TABLE app ADD COLUMN per_day INTEGER;
        CREATE TABLE app_day(app INTEGER PRIMARY KEY, day INTEGER NOT NULL, pushes INTEGER NOT NULL);
        CREATE TABLE nonce(timestamp INTEGER NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY(timestamp, hash)) WITHOUT ROWID;
        CREATE TABLE nonce_forgotten(first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
        """

    /// What each part of the store adds to the seventh version.
    private static let versionSeven = origins + audit + operators

    /// From where each push came: its client's address, an IPv4 one as a number, an IPv6 one as 16 bytes; and its request's id.
    private static let origins = """
        ALTER TABLE message ADD COLUMN client;
        ALTER TABLE message ADD COLUMN request_id TEXT;
        """

    /// What operators did, and how often whom was refused. `orgs` holds the organisations in which an entry's target was, each
    /// between slashes; `client` is as in `message`.
    private static let audit = """
        CREATE TABLE audit(
          number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, ahead INTEGER NOT NULL, caller TEXT NOT NULL, name TEXT,
          scope INTEGER, client, request_id TEXT, action TEXT NOT NULL, kind TEXT, target TEXT, task TEXT, code INTEGER NOT NULL,
          orgs TEXT);
        CREATE INDEX audit_by_time ON audit(ahead, at);
        CREATE INDEX audit_by_target ON audit(target) WHERE target IS NOT NULL;
        CREATE INDEX audit_by_task ON audit(task) WHERE task IS NOT NULL;
        CREATE TABLE refusal(
          minute INTEGER NOT NULL, listener INTEGER NOT NULL, name TEXT NOT NULL, client NOT NULL, code INTEGER NOT NULL,
          ahead INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY(minute, listener, name, client, code)) WITHOUT ROWID;
        """

    /// Operators and their sessions, and who began an import (`NULL`: the installation).
    private static let operators = """
        CREATE TABLE operator(
          name TEXT PRIMARY KEY, display_name TEXT NOT NULL, role INTEGER NOT NULL, scope TEXT, disabled INTEGER NOT NULL,
          password TEXT NOT NULL, created INTEGER NOT NULL, last_login INTEGER) WITHOUT ROWID;
        CREATE TABLE operator_session(
          key BLOB PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, client TEXT)
          WITHOUT ROWID;
        ALTER TABLE import ADD COLUMN operator TEXT;
        """

    /// What each part of the store adds to the eighth version.
    private static let versionEight = operatorNumbers + pushesOfOperators + auditDetails

    /// Operators have numbers that are given once, and their sessions, imports and entries belong to a number: a name may be
    /// given to another person. What somebody did who is an operator no more belongs to nobody (0), or to no number (`NULL`) in
    /// the audit log; an operator that is younger than what its name did is another one.
    private static let operatorNumbers = """
        ALTER TABLE operator RENAME TO former_operator;
        CREATE TABLE operator(
          number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, role INTEGER NOT NULL,
          scope TEXT, disabled INTEGER NOT NULL, password TEXT NOT NULL, created INTEGER NOT NULL, last_login INTEGER);
        INSERT INTO operator(name, display_name, role, scope, disabled, password, created, last_login)
          SELECT name, display_name, role, scope, disabled, password, created, last_login FROM former_operator
          ORDER BY created, name;
        DROP TABLE former_operator;

        ALTER TABLE operator_session RENAME TO former_session;
        CREATE TABLE operator_session(
          key BLOB PRIMARY KEY, holder INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, client TEXT)
          WITHOUT ROWID;
        INSERT INTO operator_session(key, holder, created, expires, client)
          SELECT key, number, former_session.created, expires, client FROM former_session JOIN operator USING (name);
        DROP TABLE former_session;

        ALTER TABLE import ADD COLUMN beginner INTEGER;
        UPDATE import SET beginner = coalesce(
          (SELECT number FROM operator WHERE name = import.operator AND created <= import.started), 0) WHERE operator IS NOT NULL;
        ALTER TABLE import DROP COLUMN operator;

        ALTER TABLE audit ADD COLUMN operator INTEGER;
        UPDATE audit SET operator =
          (SELECT number FROM operator WHERE operator.name = audit.name AND created <= audit.at + audit.ahead)
          WHERE name IS NOT NULL;
        """

    /// The operator who has pushed on behalf of an app.
    private static let pushesOfOperators = "ALTER TABLE message ADD COLUMN operator TEXT;"

    /// What a change did, field by field, as JSON.
    private static let auditDetails = "ALTER TABLE audit ADD COLUMN details TEXT;"

    /// Looks at a file without changing it; one that is not there, or has nothing in it, will be made.
    /// - Throws: ``SQLiteStoreError`` for a file that is not this store's or of a newer version.
    static func inspect(_ path: String) throws {
        guard access(path, F_OK) == 0 else { return }
        _ = try check(Database(path: path, role: .reader))
    }

    /// Brings an open file to this version.
    /// - Parameter lastWritten: when the store's files had been written last, by the wall clock, in milliseconds. The step by
    ///   which the store learns of store time keeps it: from then on the files tell when that was.
    static func prepare(_ database: Database, lastWritten: Int64?) throws {
        let found = try check(database)
        for step in found..<steps.count {
            try database.execute("BEGIN IMMEDIATE")
            do {
                try database.execute(steps[step])
                if step == versionOfStoreTime - 1, found > 0, let lastWritten {
                    try MetaTable(database).write(.lastWritten, lastWritten)
                }
                try database.execute("PRAGMA application_id=\(applicationID)")
                try database.execute("PRAGMA user_version=\(step + 1)")
                try database.execute("COMMIT")
            } catch {
                if database.inTransaction { try database.execute("ROLLBACK") }
                throw error
            }
        }
    }

    /// - Returns: the file's version; 0 for one that has nothing in it.
    static func check(_ database: Database) throws -> Int {
        let application = try database.number("PRAGMA application_id") ?? 0
        let found = try database.number("PRAGMA user_version") ?? 0
        let tables = try database.number("SELECT count(*) FROM sqlite_master") ?? 0
        guard application == applicationID || (application == 0 && tables == 0) else { throw SQLiteStoreError.notOurs }
        guard found <= version else { throw SQLiteStoreError.newerVersion(found: Int(found), known: Int(version)) }
        return Int(found)
    }
}
