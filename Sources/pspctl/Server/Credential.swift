import Base
import Crypto

/// What shows a listener who is calling.
enum Credential: Sendable {
    /// An operator, at the admin listener.
    case operatorToken(String)
    /// An app, at the REST listener.
    case app(key: String, masterSecret: String)

    /// The headers that carry it.
    /// - Parameter now: Unix milliseconds.
    func headers(now: Int64) -> [(name: String, value: String)] {
        switch self {
        case .operatorToken(let token): [("Authorization", "Bearer \(token)")]
        case .app(let key, let masterSecret):
            [
                ("appkey", key), ("timestamp", String(now)),
                ("validation-token", Credential.validationToken(key: key, masterSecret: masterSecret, timestamp: String(now))),
            ]
        }
    }

    /// `md5hex(lower(appkey) + lower(masterSecret) + timestamp)`.
    static func validationToken(key: String, masterSecret: String, timestamp: String) -> String {
        Hex.encode(Digest.md5.hash(key.lowercased() + masterSecret.lowercased() + timestamp))
    }
}
