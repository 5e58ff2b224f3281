public import Postgres
public import Push

/// What the sessions of a tool wait for, as the database tells it: a commit may wait for ever, and nothing else says so.
public enum DatabaseWait: Hashable, Sendable {
    /// That as many of these standbys as are needed have the commit: the setting of the primary.
    case standby(names: String)
    /// That another session releases what it holds.
    case lock

    /// For people, with what helps.
    public var words: BilingualText {
        switch self {
        case .standby(let names):
            BilingualText(
                "正在等待同步备库（synchronous_standby_names：\(names)）：请让备库连上主库，或更改该设置后重新加载配置",
                "waiting for a synchronous standby (synchronous_standby_names: \(names)): connect it to the primary, or change "
                    + "that setting and reload")
        case .lock:
            BilingualText(
                "正在等待另一个会话释放锁：可能有另一个程序正在修改同一个数据库",
                "waiting for a lock that another session holds: another program may be changing the same database")
        }
    }
}

extension PostgresStore {
    /// What sessions of that application name and role wait for in the database.
    /// - Returns: `nil` where they wait for nothing, or nobody can say.
    public static func wait(in database: PostgresOptions) async -> DatabaseWait? {
        let statement = PostgresStatement(
            """
            SELECT a.wait_event = 'SyncRep', current_setting('synchronous_standby_names') FROM pg_stat_activity a
            WHERE a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid()
              AND a.application_name = current_setting('application_name')
              AND (a.wait_event = 'SyncRep' OR a.wait_event_type = 'Lock')
            ORDER BY 1 DESC LIMIT 1
            """)
        let outcome = try? await ShortConnection.with(database) {
            await $0.call(PostgresCall(statement))
        }
        guard case .rows(let rows)? = outcome, rows.count == 1, let isCommit = (try? rows.bool(0, 0)) ?? nil else { return nil }
        return isCommit ? .standby(names: ((try? rows.text(0, 1)) ?? nil) ?? "?") : .lock
    }
}
