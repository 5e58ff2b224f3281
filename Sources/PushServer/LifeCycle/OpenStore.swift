internal import Base
internal import Libevent
internal import Logging
internal import Postgres
internal import PostgresStore
internal import Push
internal import SQLiteStore

/// Opens the store that the settings name.
protocol StoreOpener: Sendable {
    /// Says whether it could be opened here, as far as that can be told without changing anything or asking another machine.
    /// - Throws: naming the setting.
    func judge(_ configuration: ServerConfiguration) throws(StartError)

    /// Opens it. One on another machine is not waited for: it is opened at once, ``Health/unreachable(reason:)`` until it
    /// answers, and goes on trying by itself.
    /// - Throws: naming the setting; `unexpected` where the next try may do better.
    func open(_ configuration: ServerConfiguration) throws(StartError) -> any Store
}

/// The stores that this program has: the one place of the server that knows which they are.
struct LinkedStores: StoreOpener {
    func judge(_ configuration: ServerConfiguration) throws(StartError) {
        switch configuration.store {
        case .sqlite(let directory): try DataDirectory.judge(directory)
        case .postgres(let uri):
            guard let file = try Self.address(uri).unreadableFile else { return }
            throw .cannotWork(SystemError(code: file.code).text.after("--store: \(file.keyword): \(file.path)"))
        }
    }

    func open(_ configuration: ServerConfiguration) throws(StartError) -> any Store {
        switch configuration.store {
        case .sqlite(let directory): try openSQLite(in: directory, configuration)
        case .postgres(let uri): try openPostgreSQL(at: uri, configuration)
        }
    }

    private func openSQLite(in directory: String, _ configuration: ServerConfiguration) throws(StartError) -> SQLiteStore {
        var options = SQLiteStore.Options()
        options.node = configuration.node
        options.taskRetention = configuration.taskRetention.components.seconds * 1_000
        options.auditRetention = configuration.auditRetention.components.seconds * 1_000
        options.longestWait = configuration.storeWait.components.seconds * 1_000
        options.quota = configuration.usualQuota
        let log = Logger(label: "store")
        options.log = { log.warning("\($0)") }
        do throws(SQLiteStoreError) {
            return try SQLiteStore.open(directory: directory, options: options)
        } catch {
            if case .unavailable = error { throw .unexpected(error.text.after("--data")) }
            throw .cannotWork(error.text.after("--data"))
        }
    }

    private func openPostgreSQL(at uri: String, _ configuration: ServerConfiguration) throws(StartError) -> PostgresStore {
        var database = PostgresOptions(try Self.address(uri))
        database.passwordFile = configuration.storePasswordFile
        var options = PostgresStore.Options(database, node: configuration.node, version: Version.current)
        options.usualQuota = configuration.usualQuota
        options.patience = configuration.storeWait
        options.taskRetention = configuration.taskRetention.components.seconds * 1_000
        options.auditRetention = configuration.auditRetention.components.seconds * 1_000
        let log = Logger(label: "store")
        options.log = { log.warning("\($0)") }
        do throws(LibeventError) {
            return try PostgresStore(options)
        } catch {
            throw .unexpected(error.text.after("--store"))
        }
    }

    private static func address(_ uri: String) throws(StartError) -> PostgresAddress {
        let address: PostgresAddress
        do throws(PostgresAddress.Malformed) {
            address = try PostgresAddress(parsing: uri)
        } catch {
            throw .cannotWork(BilingualText(quoting: error.description, of: "libpq").after("--store"))
        }
        if let wish = address["target_session_attrs"], !["read-write", "primary"].contains(wish) {
            throw .cannotWork(
                BilingualText(
                    "\(wish)：节点需要能写入的服务器，应为 read-write 或 primary，也可不写",
                    "\(wish): a node needs the server that takes writes: read-write or primary, or leave it out"
                ).after("--store: target_session_attrs"))
        }
        return address
    }
}

extension ServerConfiguration {
    /// Of apps that have no bound of their own.
    fileprivate var usualQuota: PushQuota {
        PushQuota(perSecond: appRate > 0 ? appRate : nil, perDay: appDaily > 0 ? appDaily : nil)
    }
}
