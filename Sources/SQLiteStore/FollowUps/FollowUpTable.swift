internal import Push
internal import StoreCore

/// `follow_up`: what changes of the directory have still to do.
final class FollowUpTable {
    private let database: Database

    init(_ database: Database) { self.database = database }

    /// In their order.
    func all() throws(SQLiteError) -> [FollowUp] {
        let query = try database.statement("SELECT number, position, kind, subject, object, place FROM follow_up ORDER BY number")
        var found: [FollowUp] = []
        while try query.step() {
            guard let work = FollowUp.Work(kind: query.int(2), query.short(3), query.position(4)) else { continue }
            found.append(
                FollowUp(number: query.int(0), position: query.position(1), work: work, place: query.position(5)))
        }
        return found
    }

    func insert(_ followUp: FollowUp) throws(SQLiteError) {
        let insert = try database.statement(
            "INSERT INTO follow_up(number, position, kind, subject, object, place) VALUES(?, ?, ?, ?, ?, ?)")
        let (kind, subject, object) = followUp.work.columns
        insert.bind(1, followUp.number)
        insert.bind(2, followUp.position)
        insert.bind(3, kind)
        insert.bind(4, subject)
        insert.bind(5, object)
        insert.bind(6, followUp.place)
        try insert.run()
    }

    func write(place: UInt64, of number: Int64) throws(SQLiteError) {
        let write = try database.statement("UPDATE follow_up SET place = ? WHERE number = ?")
        write.bind(1, place)
        write.bind(2, number)
        try write.run()
    }

    /// Those that are done.
    func remove(before number: Int64) throws(SQLiteError) {
        let remove = try database.statement("DELETE FROM follow_up WHERE number < ?")
        remove.bind(1, number)
        try remove.run()
    }
}

extension FollowUp.Work {
    fileprivate var columns: (kind: Int64, subject: UInt32, object: UInt64) {
        switch self {
        case .enter(let organisation, let formerParent): (1, organisation, UInt64(formerParent))
        case .joinSubtree(let organisation, let configuration): (2, organisation, configuration)
        case .joinUser(let organisation, let configuration): (3, organisation, configuration)
        case .joinDevice(let device, let configuration): (4, device, configuration)
        case .withdraw(let device): (5, device, 0)
        case .withdrawTests(let device): (6, device, 0)
        case .cancel(let configuration): (7, 0, configuration)
        case .enterAll(let device, let former): (8, device, former?.number ?? 0)
        case .cancelAll(let organisation): (9, organisation, 0)
        }
    }

    /// `nil` for what no version wrote.
    fileprivate init?(kind: Int64, _ subject: UInt32, _ object: UInt64) {
        switch kind {
        case 1: self = .enter(organisation: subject, formerParent: UInt32(truncatingIfNeeded: object))
        case 2: self = .joinSubtree(of: subject, configuration: object)
        case 3: self = .joinUser(below: subject, configuration: object)
        case 4: self = .joinDevice(subject, configuration: object)
        case 5: self = .withdraw(device: subject)
        case 6: self = .withdrawTests(device: subject)
        case 7: self = .cancel(configuration: object)
        case 8: self = .enterAll(device: subject, formerly: FormerMembership(number: object))
        case 9: self = .cancelAll(ofOrganisation: subject)
        default: return nil
        }
    }
}
