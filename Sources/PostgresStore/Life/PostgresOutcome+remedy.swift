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
        "请把数据库的所有权交给地址中的角色（ALTER DATABASE … OWNER TO …）；若已建表，请使用执行过 pspctl store migrate 的角色",
        "give the address's role the database (ALTER DATABASE … OWNER TO …); where there are tables, use the role by which "
            + "pspctl store migrate was run")
}

extension PostgresLoss {
    /// `nil`: it may pass, or nobody here knows.
    var remedy: BilingualText? {
        switch self {
        case .unresolved: Self.name
        case .refused where isStandby: Self.promotion
        case .refused(_, _, .invalidPassword): Self.password
        case .refused(_, _, .tooManyConnections): Self.connections
        case .refused(_, _, .undefinedDatabase): Self.database
        case .refused(_, _, let state?): state.isOfAuthorization ? Self.access : nil
        // Libpq's own words, which are English.
        case .refused(_, let text, nil):
            if text.contains("password") {
                Self.password
            } else if text.contains("SSL") || text.contains("certificate") {
                Self.encryption
            } else {
                Self.place
            }
        // What one host says of this role matters more than that another one is away, or a standby.
        case .everyHost(let losses):
            losses.lazy.filter { !$0.isAway && !$0.isStandby }.compactMap(\.remedy).first
                ?? (losses.contains(where: \.isStandby) ? Self.promotion : losses.lazy.compactMap(\.remedy).first)
        case .yielded: Self.connections
        case .silent: Self.place
        case .password, .setup, .ended, .broken, .readOnly, .unresponsive, .abandoned, .closed, .system: nil
        }
    }

    /// Why there is no session, and what to do.
    var wordsWithRemedy: BilingualText { words.with(remedy) }

    /// Nobody answers there.
    private var isAway: Bool {
        switch self {
        case .refused(_, _, nil), .silent, .unresolved: true
        default: false
        }
    }

    private static let name = BilingualText(
        "请检查地址中的主机名以及名称解析", "see that the address names the right host, and that its name is known here")

    private static let place = BilingualText(
        "请检查 PostgreSQL 是否在该主机和端口上运行，并监听其他机器的连接（listen_addresses、防火墙）",
        "see that PostgreSQL runs on that host and port and listens to other machines (listen_addresses, firewall)")

    private static let encryption = BilingualText(
        "请在 PostgreSQL 中启用 TLS（ssl = on），检查证书，或更改地址中的 sslmode；也请检查该端口上是否为 PostgreSQL",
        "turn TLS on in PostgreSQL (ssl = on), look at the certificates, or change the address's sslmode; and see that it "
            + "is PostgreSQL that listens on that port")

    private static let database = BilingualText(
        "请检查地址中的数据库名，或建立该数据库（createdb）", "see that the address names the right database, or make it (createdb)")

    private static let access = BilingualText(
        "请检查地址中的角色和数据库、该角色能否登录（LOGIN），以及该主机的 pg_hba.conf 是否允许它从本机连接",
        "see that the address names the right role and database, that the role may log in (LOGIN), and that this host's "
            + "pg_hba.conf lets it in from here")

    private static let password = BilingualText(
        "请检查密码文件中是否为该角色的密码（pspd 用 --store-password-file，pspctl 用 --password-file），以及该角色是否存在（createuser）",
        "see that the password file has the role's password (--store-password-file of pspd, --password-file of pspctl), and "
            + "that there is such a role (createuser)")

    private static let connections = BilingualText(
        "请调大数据库的 max_connections（或该角色的 CONNECTION LIMIT）：每个节点六个，另加 20 个",
        "raise the database's max_connections (or the role's CONNECTION LIMIT): six for each node and 20")

    private static let promotion = BilingualText(
        "地址中须列出数据库的全部主机；若都已列出，且原主库确已关机、不会恢复，请提升一台备库",
        "the address has to name all hosts of the database; where it does, and the primary is switched off and does not "
            + "come back, promote a standby")
}

extension BilingualText {
    fileprivate func with(_ remedy: BilingualText?) -> BilingualText {
        remedy.map { BilingualText("\(chinese)：\($0.chinese)", "\(english): \($0.english)") } ?? self
    }
}
