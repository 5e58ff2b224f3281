import Base
import Crypto
import Push

/// What shows a listener who is calling.
enum Credential: Sendable {
    /// Nobody: for what is open to everybody.
    case none
    /// An operator, at the admin listener.
    case operatorToken(String)
    /// An operator who has logged in, likewise.
    case session(LoginSession)
    /// An app, at the REST listener.
    case app(key: String, masterSecret: String)

    /// The headers that carry it. An app signs the whole call, which every app may.
    /// - Parameter now: Unix milliseconds.
    func headers(for call: Call, now: Int64) -> [(name: String, value: String)] {
        switch self {
        case .none: return []
        case .operatorToken(let token): return [("Authorization", "Bearer \(token)")]
        case .session(let session): return [("Authorization", "Bearer \(session.token)")]
        case .app(let key, let masterSecret):
            let line = SignedCall(method: call.method.rawValue, target: call.target, isChange: call.method != .get)
            let signature = RequestSignature.header(
                for: line, appKey: AppKey(unchecked: key), timestamp: String(now),
                nonce: line.isChange ? Nonce(Random.secret()) : nil, body: call.body, secret: masterSecret)
            return [("appkey", key), ("timestamp", String(now)), ("authorization", signature)]
        }
    }
}
