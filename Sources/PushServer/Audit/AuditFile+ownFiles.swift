internal import Glibc
internal import Push

extension AuditFile {
    /// A file that a server writes or reads for something else: lines of the audit log in it would destroy either.
    /// - Parameter isStart: whether this process is that server, whose log is its standard error.
    /// - Throws: `cannotWork`, naming whose file it is.
    static func refuseOwnFiles(of configuration: ServerConfiguration, isStart: Bool) throws(StartError) {
        guard case .file(let path)? = configuration.auditDestination, let identity = FileIdentity(path) else { return }
        let owner: BilingualText
        if let data = configuration.store.directory, isOfData(path, identity, data) {
            owner = BilingualText("数据目录中服务器自己的文件", "a file of the server's own in its data directory")
        } else if let flag = flag(of: identity, configuration) {
            owner = BilingualText("\(flag) 的文件", "the file of \(flag)")
        } else if isStart, FileIdentity(open: STDERR_FILENO) == identity {
            owner = BilingualText("标准错误，即服务器的日志", "standard error, which is the server's log")
        } else {
            return
        }
        throw .cannotWork(
            BilingualText(
                "\(path) 是\(owner.chinese)；审计日志需要单独的文件", "\(path) is \(owner.english); the audit log needs a file of its own"
            )
            .after("--audit-log"))
    }

    /// The store's files bear names that begin so, and so do copies that a restore has put aside.
    private static let ownNames = ["psp.db", "psp.mark", "psp.moved", "admin.token", "pspd.lock", "pspd.json"]

    private static func isOfData(_ path: String, _ identity: FileIdentity, _ data: String) -> Bool {
        if let directory = FileIdentity(data), FileIdentity(FileIdentity.parent(of: path)) == directory,
            ownNames.contains(where: { FileIdentity.name(of: path).hasPrefix($0) })
        {
            return true
        }
        // By a link.
        return (ownNames + ["psp.db-wal", "psp.db-shm"]).contains { FileIdentity("\(data)/\($0)") == identity }
    }

    private static func flag(of identity: FileIdentity, _ configuration: ServerConfiguration) -> String? {
        let tls = configuration.tls
        let files = [
            ("--config", configuration.settingsFile), ("--tls-cert", tls.certificate), ("--tls-key", tls.key),
            ("--tls-client-ca", tls.clientAuthorities), ("--tls-ticket-keys", tls.ticketKeys),
            ("--admin-token-file", configuration.adminTokenFile), ("--store-password-file", configuration.storePasswordFile),
        ]
        return files.first { _, path in path.map { FileIdentity($0) == identity } ?? false }?.0
    }
}
