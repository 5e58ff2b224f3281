internal import Postgres
internal import Push

// What somebody has to do before the database can be used, where that does not pass by itself.

extension PostgresOutcome {
    /// `nil`: it may pass, or nobody here knows.
    var remedy: BilingualText? {
        switch self {
        case .unavailable(.notReady(let loss?)), .unknown(.lost(let loss)): loss.remedy
        case .failed(let error) where error.state == "42501": Self.rights
        case .rows, .tooLarge, .failed, .unavailable, .unknown: nil
        }
    }

    /// Why nothing has come of a call, and what to do.
    var wordsWithRemedy: BilingualText { words.with(remedy) }

    private static let rights = BilingualText(
        "请使用执行过 pspctl store migrate 的角色，或把 psp 模式的所有权交给地址中的角色",
        "use the role by which pspctl store migrate was run, or give the address's role the schema psp")
}

extension PostgresLoss {
    /// `nil`: it may pass, or nobody here knows.
    var remedy: BilingualText? {
        switch self {
        case .unresolved: Self.address
        case .refused where isStandby: Self.promotion
        case .refused(_, _, .invalidPassword): Self.password
        case .refused(_, _, .tooManyConnections): Self.connections
        case .refused(_, _, let state?) where state.isOfAuthorization || state == .undefinedDatabase: Self.address
        // Libpq's own words: it was asked for a password, and has none.
        case .refused(_, let text, nil): text.contains("password") ? Self.password : nil
        case .refused: nil
        // A standby is to be promoted where nothing else is known of the others.
        case .everyHost(let losses): (losses.filter { !$0.isStandby } + losses).lazy.compactMap(\.remedy).first
        case .yielded: Self.connections
        case .password, .silent, .setup, .ended, .broken, .readOnly, .unresponsive, .abandoned, .closed, .system: nil
        }
    }

    /// Why there is no session, and what to do.
    var wordsWithRemedy: BilingualText { words.with(remedy) }

    private static let address = BilingualText(
        "请检查地址中的主机、端口、数据库和角色，密码文件，以及数据库的 pg_hba.conf",
        "see that the address names the right host, port, database and role, and look at the password file and the database's "
            + "pg_hba.conf")

    private static let password = BilingualText(
        "请检查密码文件中是否为该角色的密码（pspd 用 --store-password-file，pspctl 用 --password-file）",
        "see that the password file has the role's password (--store-password-file of pspd, --password-file of pspctl)")

    private static let connections = BilingualText(
        "请调大数据库的 max_connections（或该角色的 CONNECTION LIMIT）：每个节点六个，另加 20 个",
        "raise the database's max_connections (or the role's CONNECTION LIMIT): six for each node and 20")

    private static let promotion = BilingualText(
        "如果主库不会恢复，请提升一台备库；地址中须列出全部主机",
        "if the primary does not come back, promote a standby; the address has to name all hosts")
}

extension BilingualText {
    fileprivate func with(_ remedy: BilingualText?) -> BilingualText {
        remedy.map { BilingualText("\(chinese)：\($0.chinese)", "\(english): \($0.english)") } ?? self
    }
}
