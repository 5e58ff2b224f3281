internal import Logging
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
        case .postgres: throw Self.noPostgreSQL
        }
    }

    func open(_ configuration: ServerConfiguration) throws(StartError) -> any Store {
        switch configuration.store {
        case .sqlite(let directory): try openSQLite(in: directory, configuration)
        case .postgres: throw Self.noPostgreSQL
        }
    }

    private func openSQLite(in directory: String, _ configuration: ServerConfiguration) throws(StartError) -> SQLiteStore {
        var options = SQLiteStore.Options()
        options.node = configuration.node
        options.taskRetention = configuration.taskRetention.components.seconds * 1_000
        options.auditRetention = configuration.auditRetention.components.seconds * 1_000
        options.longestWait = configuration.storeWait.components.seconds * 1_000
        options.quota = PushQuota(
            perSecond: configuration.appRate > 0 ? configuration.appRate : nil,
            perDay: configuration.appDaily > 0 ? configuration.appDaily : nil)
        let log = Logger(label: "store")
        options.log = { log.warning("\($0)") }
        do throws(SQLiteStoreError) {
            return try SQLiteStore.open(directory: directory, options: options)
        } catch {
            if case .unavailable = error { throw .unexpected(error.text.after("--data")) }
            throw .cannotWork(error.text.after("--data"))
        }
    }

    private static var noPostgreSQL: StartError {
        .cannotWork(
            BilingualText("此 pspd 不含 PostgreSQL 存储，请用 sqlite:DIR", "this pspd has no PostgreSQL store; use sqlite:DIR")
                .after("--store"))
    }
}
