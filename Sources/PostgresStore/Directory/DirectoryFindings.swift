internal import Base
internal import Crypto
internal import Postgres
internal import Push
internal import StoreCore

/// What the database has of that which changes name, looked up before they are decided.
struct DirectoryFindings {
    var devices: [DeviceToken: FoundDevice] = [:]
    var users: [UserID: Int64] = [:]
    /// Who the devices' users are; where somebody wants to know.
    var names: [Int64: UserID] = [:]
    /// How many devices organisations have of their own.
    var ownDevices: [OrgID: Int] = [:]
    /// Users who were never outside of the caller's scope.
    var insiders: Set<Int64> = []
}

extension StoreNode {
    /// Looks up what changes name.
    /// - Parameters:
    ///   - caller: by whose scope they are judged.
    ///   - namingUsers: whether the users of devices are looked up, too.
    func find(
        for changes: [DirectoryChange], by caller: OperatorNumber?, namingUsers: Bool
    ) async throws(StoreError) -> DirectoryFindings {
        var findings = DirectoryFindings()
        let tokens = changes.compactMap(\.token)
        let users = changes.compactMap(\.user)
        do {
            if !tokens.isEmpty { findings.devices = try await find(tokens) }
            if !users.isEmpty {
                var arguments = PostgresArguments()
                arguments.append(each: users, text: { $0.text })
                let rows = try await ask(reads, Statements.users, arguments)
                for row in 0..<rows.count {
                    findings.users[UserID(unchecked: try rows.name(row, 0) ?? "")] = try rows.present8(row, 1)
                }
            }
            if namingUsers {
                findings.names = try await names(of: findings.devices.values.compactMap { $0.membership.user?.number })
            }
            if let scope = directory.operators.scope(of: caller), let org = directory.tree[scope]?.org, !findings.users.isEmpty {
                var arguments = PostgresArguments()
                arguments.append(int8Array: Array(findings.users.values))
                arguments.append(int4: Int32(bitPattern: org))
                let rows = try await ask(reads, Statements.usersInside, arguments)
                for row in 0..<rows.count { findings.insiders.insert(try rows.present8(row, 0)) }
            }
            for case .removeOrganisation(let id) in changes {
                guard let node = directory.tree[id] else { continue }
                var arguments = PostgresArguments()
                arguments.append(int4: Int32(bitPattern: node.org))
                findings.ownDevices[id] = Int(try await ask(reads, Statements.ownDevices, arguments).present8(0, 0))
            }
        } catch let error as StoreError {
            throw error
        } catch {
            options.log("the directory cannot be read: \(error)")
            throw .unavailable(retryAfter: retryAfter)
        }
        return findings
    }

    func find(_ tokens: [DeviceToken]) async throws -> [DeviceToken: FoundDevice] {
        var arguments = PostgresArguments()
        arguments.append(each: tokens, text: { $0.text })
        arguments.append(each: tokens, int8: { StableHash.of($0.text) })
        let rows = try await ask(reads, Statements.findDevices, arguments)
        var found: [DeviceToken: FoundDevice] = [:]
        for row in 0..<rows.count { found[tokens[Int(try rows.present4(row, 0)) - 1]] = try FoundDevice(rows, row) }
        return found
    }

    private func names(of users: [Int64]) async throws -> [Int64: UserID] {
        guard !users.isEmpty else { return [:] }
        var arguments = PostgresArguments()
        arguments.append(int8Array: users)
        let rows = try await ask(reads, Statements.userIDs, arguments)
        var found: [Int64: UserID] = [:]
        for row in 0..<rows.count { found[try rows.present8(row, 0)] = UserID(unchecked: try rows.name(row, 1) ?? "") }
        return found
    }
}

extension DirectoryChange {
    /// The device that it changes.
    var token: DeviceToken? {
        switch self {
        case .putDevice(let token, _, _), .removeDevice(let token): token
        default: nil
        }
    }

    /// The user that it gives a device to.
    var user: UserID? {
        if case .putDevice(_, let fields, _) = self, case .set(let user) = fields.user { user } else { nil }
    }
}
