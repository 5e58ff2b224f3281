internal import Base
internal import Crypto
internal import Postgres
internal import Push
internal import StoreCore

/// What a decision about the directory writes, as `change_directory_1` takes it. Positions are counted from the one that the
/// call finds.
struct DirectoryWrites {
    struct AppWrite {
        /// `nil`: a new one.
        let number: Int32?
        let app: App
        let isRemoved: Bool
        let at: Int32
    }

    struct OrgWrite {
        let org: UInt32
        let id: OrgID
        let name: String
        let isRemoved: Bool
        let parent: UInt32?
        let at: Int32
    }

    struct NewDevice {
        let ordinal: Int64
        let token: DeviceToken
        let membership: Membership
        let verifier: SecretVerifier
        let certificate: CertificateFingerprint?
        let at: Int32
    }

    struct ChangedDevice {
        let ordinal: Int64
        let membership: Membership
        let at: Int32
    }

    struct Door {
        let ordinal: Int64
        let verifier: SecretVerifier
        let certificate: CertificateFingerprint?
        let closes: Bool
        let at: Int32
    }

    /// What follows from a change.
    struct NewJob {
        let kind: Job.Kind
        let subject: Int64
        let object: Int64
        let at: Int32
    }

    private(set) var positions: Int32 = 0
    var apps: [AppWrite] = []
    var organisations: [OrgWrite] = []
    private(set) var users: [(number: Int64, id: UserID)] = []
    private var newUsers: [UserID: Int64] = [:]
    var gone: [(ordinal: Int64, at: Int32)] = []
    var new: [NewDevice] = []
    var changed: [ChangedDevice] = []
    var doors: [Door] = []
    var jobs: [NewJob] = []

    /// The next position.
    mutating func takePosition() -> Int32 {
        positions += 1
        return positions
    }

    /// The number of a new holder's device, which the call makes one that nobody had.
    mutating func takeOrdinal() -> Int64 { -Int64(new.count) - 1 }

    /// The number of a user who was never named before, likewise.
    mutating func takeUser(_ id: UserID) -> Int64 {
        if let known = newUsers[id] { return known }
        let number = -Int64(users.count) - 1
        users.append((number, id))
        newUsers[id] = number
        return number
    }

    /// The arguments of the call.
    /// - Parameters:
    ///   - version: by which directory this was decided.
    ///   - entries: of the audit log; one at most.
    ///   - progress: of the import whose lines these are.
    func append(
        to arguments: inout PostgresArguments, expecting version: Int64, _ entries: [AuditLine],
        _ progress: ImportProgress? = nil
    ) {
        arguments.append(int8: version)
        arguments.append(int4: positions)
        appendApps(&arguments)
        arguments.append(each: organisations, int4: { Int32(bitPattern: $0.org) })
        arguments.append(each: organisations, text: { $0.id.text })
        arguments.append(each: organisations, text: { $0.name })
        arguments.append(each: organisations, bool: { $0.isRemoved })
        arguments.append(each: organisations, int4: { Int32(bitPattern: $0.org) })
        arguments.append(each: organisations, int4: { $0.parent.map { Int32(bitPattern: $0) } })
        arguments.append(each: organisations, int4: { $0.at })
        arguments.append(each: users, int8: { $0.number })
        arguments.append(each: users, text: { $0.id.text })
        appendDevices(&arguments)
        arguments.append(each: jobs, int4: { $0.kind.rawValue })
        arguments.append(each: jobs, int8: { $0.subject })
        arguments.append(each: jobs, int8: { $0.object })
        arguments.append(each: jobs, int4: { $0.at })
        arguments.append(audit: entries)
        arguments.append(progress: progress)
    }

    private func appendApps(_ arguments: inout PostgresArguments) {
        arguments.append(each: apps, int4: { $0.number })
        arguments.append(each: apps, text: { $0.app.key.text })
        arguments.append(each: apps, text: { $0.app.name })
        arguments.append(each: apps, text: { $0.app.masterSecret })
        arguments.append(each: apps, text: { $0.app.formerSecret })
        arguments.append(each: apps, int8: { $0.app.secretUse.master })
        arguments.append(each: apps, int8: { $0.app.secretUse.former })
        arguments.append(each: apps, int4: { Int32($0.app.interfaces.bits) })
        arguments.append(each: apps, text: { $0.app.scope?.text })
        arguments.append(each: apps, bool: { $0.app.disabled })
        arguments.append(each: apps, bool: { $0.app.hmacOnly })
        arguments.append(each: apps, text: { $0.app.addresses.stored })
        arguments.append(each: apps, int4: { $0.app.quota.perSecond.map(Int32.init(clamping:)) })
        arguments.append(each: apps, int4: { $0.app.quota.perDay.map(Int32.init(clamping:)) })
        arguments.append(each: apps, bool: { $0.isRemoved })
        arguments.append(each: apps, int4: { $0.at })
    }

    private func appendDevices(_ arguments: inout PostgresArguments) {
        arguments.append(each: new, int8: { $0.ordinal })
        arguments.append(each: new, text: { $0.token.text })
        arguments.append(each: new, int8: { StableHash.of($0.token.text) })
        arguments.append(each: new, int4: { Int32($0.membership.platform.number) })
        arguments.append(each: new, int4: { Int32(bitPattern: $0.membership.organisation.index) })
        arguments.append(each: new, int8: { $0.membership.user.map { Int64(bitPattern: $0.raw) } })
        arguments.append(each: new, bool: { $0.membership.test })
        arguments.append(each: new, bytea: { $0.verifier.salt })
        arguments.append(each: new, bytea: { $0.verifier.digest })
        arguments.append(each: new, bytea: { $0.certificate?.bytes })
        arguments.append(each: new, int4: { $0.at })
        arguments.append(each: gone, int8: { $0.ordinal })
        arguments.append(each: gone, int4: { $0.at })
        arguments.append(each: changed, int8: { $0.ordinal })
        arguments.append(each: changed, int4: { Int32(bitPattern: $0.membership.organisation.index) })
        arguments.append(each: changed, int8: { $0.membership.user.map { Int64(bitPattern: $0.raw) } })
        arguments.append(each: changed, bool: { $0.membership.test })
        arguments.append(each: changed, int4: { $0.at })
        arguments.append(each: doors, int8: { $0.ordinal })
        arguments.append(each: doors, bytea: { $0.verifier.salt })
        arguments.append(each: doors, bytea: { $0.verifier.digest })
        arguments.append(each: doors, bytea: { $0.certificate?.bytes })
        arguments.append(each: doors, bool: { $0.closes })
        arguments.append(each: doors, int4: { $0.at })
    }
}
