import Crypto
import Logging
import Push
import Testing

@testable import PushAPI
@testable import Web

/// The operators of the tests: one of each role, without a scope and within "east", each with a session.
extension Served {
    /// An operator with the token of its session.
    struct Person: Hashable, CustomTestStringConvertible {
        let role: Role
        let scope: OrgID?

        var name: OperatorName { OperatorName(unchecked: scope == nil ? role.name : "\(role.name)@east") }
        var number: OperatorNumber { OperatorNumber(Int64(role.rawValue) + (scope == nil ? 1 : 10)) }
        var identity: OperatorIdentity { OperatorIdentity(number, name) }
        var token: String { "token-of-\(name)" }
        var key: OperatorSessionKey { OperatorSessionKey(token: token) }
        var authority: Authority { Authority(role, in: scope) }
        var testDescription: String { name.text }

        var record: Operator {
            Operator(
                number: number, name: name, displayName: "A person", authority: authority, disabled: false,
                password: Served.password, createdAt: noon, lastLogin: nil)
        }

        func session(expires: Int64 = 1_000) -> OperatorSession {
            OperatorSession(key: key, holder: number, createdAt: noon, expires: expires, client: nil)
        }
    }

    static let people = [nil, OrgID(unchecked: "east")].flatMap { scope in Role.allCases.map { Person(role: $0, scope: scope) } }

    static let passwordText = "correct horse battery"
    static let cheap = PasswordVerifier.Cost(logN: 1, r: 1, p: 1) ?? .usual
    static let password =
        PasswordVerifier(password: Array(passwordText.utf8), cost: cheap) ?? PasswordVerifier(cost: cheap, salt: [], hash: [])

    static var snapshot: DirectorySnapshot {
        DirectorySnapshot(
            lane: Lane(index: 0), position: .start, apps: [], organisations: [], operators: people.map(\.record),
            operatorSessions: people.map { $0.session() })
    }

    static func operators(_ log: Logger) -> AdminFront.Configuration {
        var configuration = AdminFront.Configuration(token: adminToken, log: log)
        configuration.passwordCost = cheap
        return configuration
    }

    /// What the feed tells.
    func tell(_ entries: Entry...) async {
        await admin.apply(.entries(Lane(index: 0), upTo: Position(raw: 1), entries))
    }
}

extension Call {
    /// A call with a token of its own.
    static func operate(_ method: String, _ target: String, _ body: String = "", by token: String) -> Call {
        Call(method: method, target: target, headers: [("Authorization", "Bearer \(token)")], body: body)
    }
}

extension AdminFront {
    /// How many follow traces.
    var followerCount: Int { followers.count }
    /// What is free for large bodies.
    var roomForBodies: Int { server.largeBodies.left }
}
