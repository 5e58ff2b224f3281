internal import CLibpq
internal import Glibc

/// A connection of libpq's, which this class owns: it closes with its last reference. Nothing here blocks.
final class Link {
    /// How far a connection has come.
    enum Progress {
        /// Something has to come, or to go, before it can go on.
        case reading, writing
        case connected
        case failed
    }

    /// What `flush` has left.
    enum Flushed { case all, some, broken }

    private let connection: OpaquePointer
    private var notices: [PostgresError] = []
    /// Room for what libpq is given of a call's arguments, used again and again.
    private var values: [UnsafePointer<CChar>?] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    /// Begins to connect; nil: no memory is left.
    init?(_ parameters: ConnectionParameters) {
        // No `dbname` is expanded: the address was taken apart before.
        let started = parameters.keywords.withCStrings { keywords in
            parameters.values.withCStrings { values in PQconnectStartParams(keywords, values, 0) }
        }
        guard let started else { return nil }
        connection = started
        // With the code by which a server refuses: its words may be of any language.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        // Unretained: libpq calls it from within calls of this object's.
        PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result, let notice = PostgresError(result) else { return }
                Unmanaged<Link>.fromOpaque(context).takeUnretainedValue().notices.append(notice)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { PQfinish(connection) }

    // MARK: Connecting

    /// -1: there is none now.
    var descriptor: Int32 { PQsocket(connection) }

    /// What libpq says of the last failure.
    var errorText: String { failure.text }

    /// Why a host has let nobody in.
    func refusal(by host: Endpoint) -> PostgresLoss {
        let failure = failure
        return .refused(host: host.description, failure.text, failure.state)
    }

    private var failure: LinkFailure { LinkFailure(String(cString: PQerrorMessage(connection))) }

    var isBad: Bool { PQstatus(connection) == CONNECTION_BAD }

    /// Goes on connecting. The descriptor may be another one afterwards.
    func poll() -> Progress {
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_READING: .reading
        case PGRES_POLLING_WRITING: .writing
        case PGRES_POLLING_OK: .connected
        default: .failed
        }
    }

    /// What the new session is.
    func session(with host: String) -> PostgresSession {
        PostgresSession(
            host: host, version: Int(PQserverVersion(connection)), processID: PQbackendPID(connection),
            isInHotStandby: isInHotStandby, isEncrypted: PQsslInUse(connection) != 0)
    }

    /// What the server has told of itself last; nil: nothing.
    var isInHotStandby: Bool? { PQparameterStatus(connection, "in_hot_standby").map { strcmp($0, "on") == 0 } }

    /// Asks libpq to cancel what the server works on; nil: no memory is left.
    func cancelRequest() -> CancelRequest? { PQgetCancel(connection).map(CancelRequest.init) }

    // MARK: Sending

    /// From now on calls are sent without waiting for answers.
    func beginPipeline() -> Bool { PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection) == 1 }

    /// When nothing is on its way: a script is no part of a pipeline.
    func endPipeline() -> Bool { PQexitPipelineMode(connection) == 1 }

    func sendPrepare(_ statement: PostgresStatement, for types: [PostgresType]) -> Bool {
        let oids = types.map(\.oid)
        return PQsendPrepare(connection, statement.name, statement.sql, Int32(oids.count), oids) == 1
    }

    /// Sends a call of a prepared statement, and what ends its transaction.
    func send(_ statement: PostgresStatement, _ arguments: PostgresArguments) -> Bool {
        let count = arguments.count
        while formats.count < count { formats.append(1) }
        values.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        let isSent = arguments.bytes.withUnsafeBytes { bytes in
            for field in arguments.fields {
                values.append(field.count < 0 ? nil : bytes.pointer(at: field.offset))
                lengths.append(Int32(max(0, field.count)))
            }
            return PQsendQueryPrepared(connection, statement.name, Int32(count), values, lengths, formats, 1) == 1
        }
        return isSent && PQpipelineSync(connection) == 1
    }

    func send(script: String) -> Bool { PQsendQuery(connection, script) == 1 }

    /// Hands the system what libpq holds back.
    func flush() -> Flushed {
        switch PQflush(connection) {
        case 0: .all
        case 1: .some
        default: .broken
        }
    }

    // MARK: Receiving

    /// Reads what has come.
    /// - Returns: false: the connection is broken, and the descriptor closed.
    func consume() -> Bool { PQconsumeInput(connection) == 1 }

    /// Gives the next result to `body` and frees it.
    /// - Returns: nil: more has to come first. False: there is none, the query before it is over.
    func withNextResult(_ body: (OpaquePointer) -> Void) -> Bool? {
        // Libpq takes it for the query whose turn it is, as long as nothing of its answer was looked at: now or never.
        PQsetSingleRowMode(connection)
        guard PQisBusy(connection) == 0 else { return nil }
        guard let result = PQgetResult(connection) else { return false }
        body(result)
        PQclear(result)
        return true
    }

    /// What the server said beside results since the last time.
    func takeNotices() -> [PostgresError] {
        guard !notices.isEmpty else { return [] }
        defer { notices = [] }
        return notices
    }

    /// The next notification that has come.
    func nextNotification() -> PostgresNotification? {
        guard let notification = PQnotifies(connection) else { return nil }
        defer { PQfreemem(notification) }
        return PostgresNotification(
            channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra),
            processID: notification.pointee.be_pid)
    }
}

extension UnsafeRawBufferPointer {
    /// Where an argument is; one without bytes is somewhere too, or it would be null.
    fileprivate func pointer(at offset: Int) -> UnsafePointer<CChar>? {
        guard let baseAddress else { return Link.nowhere }
        return (baseAddress + offset).assumingMemoryBound(to: CChar.self)
    }
}

extension Link {
    /// Safe: one byte that is never written and never freed.
    fileprivate nonisolated(unsafe) static let nowhere: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()
}

extension [String] {
    /// The texts as C has lists of them, with a null at the end.
    func withCStrings<R>(_ body: ([UnsafePointer<CChar>?]) -> R) -> R {
        let bytes = map { Array<CChar>($0.utf8CString) }
        let joined = Array<CChar>(bytes.joined())
        return joined.withUnsafeBufferPointer { joined in
            var pointers: [UnsafePointer<CChar>?] = []
            var offset = 0
            for text in bytes {
                pointers.append(joined.baseAddress.map { $0 + offset })
                offset += text.count
            }
            return body(pointers + [nil])
        }
    }
}
