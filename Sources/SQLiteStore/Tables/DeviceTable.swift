internal import Crypto
internal import Push
internal import StoreCore

/// `device`, `past_org` and `past_test`: every holder's device, where it belongs, and where it belonged before.
///
/// Two views say which of them is meant: `live_device`, those that have their holder, and `retired_device`.
final class DeviceTable {
    let database: Database

    init(_ database: Database) { self.database = database }

    /// A live device with where it belongs now.
    struct Member {
        let ordinal: UInt32
        let membership: Membership
    }

    /// The same with what proves that it is the device.
    struct Registered {
        let member: Member
        let verifier: SecretVerifier
        /// What stands for the secret.
        let certificate: CertificateFingerprint?
        var ordinal: UInt32 { member.ordinal }
        var membership: Membership { member.membership }
    }

    // MARK: One device

    func find(_ token: DeviceToken) throws(SQLiteError) -> Registered? {
        let query = try database.statement(
            "SELECT ordinal, org, user, platform, test, salt, hash, token, certificate FROM live_device WHERE key = ?")
        query.bind(1, StableHash.of(token.text))
        while try query.step() {
            guard query.isText(7, token.text) else { continue }
            defer { query.reset() }
            return Registered(
                member: Self.member(query), verifier: SecretVerifier(salt: query.blob(5), digest: query.blob(6)),
                certificate: CertificateFingerprint(bytes: query.blob(8)))
        }
        return nil
    }

    /// A live device by its number.
    func member(_ ordinal: UInt32) throws(SQLiteError) -> Member? {
        let query = try database.statement("SELECT ordinal, org, user, platform, test FROM live_device WHERE ordinal = ?")
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return Self.member(query)
    }

    /// What a push has to know of a live device.
    /// - Parameter key: the token's ``StableHash``.
    func addressee(_ token: DeviceToken, key: Int64) throws(SQLiteError) -> DeviceCache.Addressee? {
        let query = try database.statement("SELECT ordinal, platform, org, test, token FROM live_device WHERE key = ?")
        query.bind(1, key)
        while try query.step() {
            guard query.isText(4, token.text) else { continue }
            defer { query.reset() }
            return DeviceCache.Addressee(
                ordinal: query.short(0), platform: Platform(number: query.int(1)), test: query.int(3) != 0, org: query.short(2))
        }
        return nil
    }

    /// The token under which a holder's device was registered, live or not.
    func token(of ordinal: UInt32) throws(SQLiteError) -> DeviceToken? {
        let query = try database.statement("SELECT token FROM device WHERE ordinal = ?")
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return DeviceToken(unchecked: query.text(0))
    }

    func platform(of ordinal: UInt32) throws(SQLiteError) -> Platform? {
        let query = try database.statement("SELECT platform FROM device WHERE ordinal = ?")
        query.bind(1, ordinal)
        guard try query.step() else { return nil }
        defer { query.reset() }
        return Platform(number: query.int(0))
    }

    func isLive(_ ordinal: UInt32) throws(SQLiteError) -> Bool {
        let query = try database.statement("SELECT 1 FROM live_device WHERE ordinal = ?")
        query.bind(1, ordinal)
        defer { query.reset() }
        return try query.step()
    }

    func highestOrdinal() throws(SQLiteError) -> Int64 { try database.number("SELECT max(ordinal) FROM device") ?? 0 }

    // MARK: Several

    /// The live devices of a user.
    func members(ofUser user: Int64) throws(SQLiteError) -> [Member] {
        let query = try database.statement("SELECT ordinal, org, user, platform, test FROM live_device WHERE user = ?")
        query.bind(1, user)
        var found: [Member] = []
        while try query.step() { found.append(Self.member(query)) }
        return found
    }

    /// Some of them, after an ordinal, in the order of their ordinals.
    func members(ofUser user: Int64, after first: UInt32, limit: Int) throws(SQLiteError) -> [Member] {
        let query = try database.statement(
            """
            SELECT ordinal, org, user, platform, test FROM live_device WHERE user = ? AND ordinal > ?
            ORDER BY ordinal LIMIT ?
            """)
        query.bind(1, user)
        query.bind(2, first)
        query.bind(3, limit)
        var found: [Member] = []
        while try query.step() { found.append(Self.member(query)) }
        return found
    }

    /// A live device, and since when it is where it is.
    struct Candidate {
        let member: Member
        /// The position at which this holder got it, and that of its last change.
        let registered: UInt64
        let changed: UInt64
    }

    /// Live devices of an organisation itself, after an ordinal, in the order of their ordinals.
    func candidates(ofOrganisation org: UInt32, after first: UInt32, limit: Int) throws(SQLiteError) -> [Candidate] {
        let query = try database.statement(
            """
            SELECT ordinal, org, user, platform, test, created_seq, max(org_since, user_since, test_since) FROM live_device
            WHERE org = ? AND ordinal > ? ORDER BY ordinal LIMIT ?
            """)
        query.bind(1, org)
        query.bind(2, first)
        query.bind(3, limit)
        var found: [Candidate] = []
        while try query.step() {
            found.append(
                Candidate(member: Self.member(query), registered: query.position(5), changed: query.position(6)))
        }
        return found
    }

    /// From a row of ordinal, organisation, user, platform and test.
    private static func member(_ query: Statement) -> Member {
        Member(
            ordinal: query.short(0),
            membership: Membership(
                organisation: OrgHandle(index: query.short(1)), user: query.optionalInt(2).map { UserHandle(raw: UInt64($0)) },
                platform: Platform(number: query.int(3)), test: query.int(4) != 0))
    }

    // MARK: Changes

    /// A new holder's device.
    func insert(
        _ ordinal: UInt32, _ token: DeviceToken, _ membership: Membership, _ verifier: SecretVerifier,
        _ certificate: CertificateFingerprint?, at position: UInt64
    ) throws(SQLiteError) {
        let insert = try database.statement(
            """
            INSERT INTO device(ordinal, key, token, platform, org, org_since, user, user_since, test, test_since, created_seq,
              retired_seq, salt, hash, certificate) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        insert.bind(1, ordinal)
        insert.bind(2, StableHash.of(token.text))
        insert.bind(3, token.text)
        insert.bind(4, membership.platform.number)
        insert.bind(5, membership.organisation.index)
        insert.bind(6, position)
        insert.bind(7, membership.user?.number)
        insert.bind(8, position)
        insert.bind(9, membership.test ? 1 : 0)
        insert.bind(10, position)
        insert.bind(11, position)
        insert.bind(12, MembershipHistory.forever)
        insert.bind(13, verifier.salt)
        insert.bind(14, verifier.digest)
        insert.bind(15, certificate?.bytes)
        try insert.run()
    }

    func setSecret(_ ordinal: UInt32, _ verifier: SecretVerifier) throws(SQLiteError) {
        let write = try database.statement("UPDATE device SET salt = ?, hash = ? WHERE ordinal = ?")
        write.bind(1, verifier.salt)
        write.bind(2, verifier.digest)
        write.bind(3, ordinal)
        try write.run()
    }

    func setCertificate(_ ordinal: UInt32, _ certificate: CertificateFingerprint?) throws(SQLiteError) {
        let write = try database.statement("UPDATE device SET certificate = ? WHERE ordinal = ?")
        write.bind(1, certificate?.bytes)
        write.bind(2, ordinal)
        try write.run()
    }

    /// The holder is gone.
    func retire(_ ordinal: UInt32, at position: UInt64) throws(SQLiteError) {
        let retire = try database.statement("UPDATE device SET retired_seq = ? WHERE ordinal = ?")
        retire.bind(1, position)
        retire.bind(2, ordinal)
        try retire.run()
    }
}
