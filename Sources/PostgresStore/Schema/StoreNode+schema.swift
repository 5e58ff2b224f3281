internal import Postgres

extension StoreNode {
    /// Whether this program can work with the schema that the database has: with its own, and with the next one, since the schema
    /// is brought to it before the first node is upgraded. Where it cannot it tells why.
    func fitsSchema() async -> Bool {
        let none = "the database has no schema: pspctl store migrate"
        let outcome = await lane.call(PostgresCall(Statements.schema, deadline: options.patience))
        switch outcome {
        case .rows(let rows):
            let version = Schema.version
            guard let found = (try? rows.int8(0, 0)) ?? nil else {
                cannotServe(none)
                return false
            }
            if found < version {
                cannotServe("the database's schema has version \(found), and this program needs \(version): pspctl store migrate")
            } else if found > version + 1 {
                cannotServe(
                    "the database's schema has version \(found), and this program knows \(version): use the newer program")
            }
            return version...version + 1 ~= Int(found)
        case .failed(let error) where [.undefinedSchema, .undefinedFunction].contains(error.state): cannotServe(none)
        default: tellUnreachable(outcome)
        }
        return false
    }
}

extension PostgresOutcome {
    /// Why nothing has come of a call, in words.
    var reason: String {
        switch self {
        case .rows: "answered"
        case .tooLarge: "the answer is too large"
        case .failed(let error): "\(error)"
        case .unknown(let doubt): "\(doubt)"
        case .unavailable(let reason): "\(reason)"
        }
    }
}
