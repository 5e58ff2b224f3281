internal import Logging
internal import Push
internal import SQLiteStore

extension ServerConfiguration {
    /// Opens the store: the one place of the server that knows which store it is.
    /// - Throws: naming the setting; `unexpected` where the next try may do better.
    func openStore() throws(StartError) -> any Store {
        var options = SQLiteStore.Options()
        options.taskRetention = taskRetention.components.seconds * 1_000
        options.auditRetention = auditRetention.components.seconds * 1_000
        options.longestWait = storeWait.components.seconds * 1_000
        options.quota = PushQuota(perSecond: appRate > 0 ? appRate : nil, perDay: appDaily > 0 ? appDaily : nil)
        let log = Logger(label: "store")
        options.log = { log.warning("\($0)") }
        do throws(SQLiteStoreError) {
            return try SQLiteStore.open(directory: dataDirectory, options: options)
        } catch {
            if case .unavailable = error { throw .unexpected(error.text.after("--data")) }
            throw .cannotWork(error.text.after("--data"))
        }
    }
}
