internal import Base
internal import Push

/// One text for Unicode, and two for everybody who compares bytes.
let tags: [ExactText] = ["g\u{E9}", "ge\u{301}"]

extension RandomWalk {
    /// Does something, and says what.
    func change() async throws -> String {
        switch number(0..<100) {
        case 0..<29: return try await push()
        case 29..<41: return try await register()
        case 41..<50: return try await changeDevice()
        case 50..<55: return try await changeTree()
        case 55..<60: return try await interleave()
        case 60..<64: return try await cancel()
        case 64..<88: return try await useConnection()
        case 88..<91: return try await tell()
        case 91..<97:
            let time = Int64(chance(80) ? number(1..<5_001) : number(1..<41) * 3_600_000)
            try await fixture.advance(by: time)
            model.now = try await fixture.now
            return "time +\(time)"
        default: return try await restart()
        }
    }

    /// The store ends, in good order or not, and is opened again.
    @discardableResult
    public func restart() async throws -> String {
        var ending = Ending.close
        if fixture.kind.claims([.crash]), chance(50) {
            ending = .crash
            // What nobody has read may be lost in a crash; what was read may not.
            try await compare(everything: true)
        }
        try await reopen(after: ending)
        return "restart after \(ending)"
    }

    func reopen(after ending: Ending) async throws {
        connections = []
        try await fixture.restart(after: ending)
        if case .crash = ending, !fixture.kind.claims([.exactCursors]) { model.doubt() }
    }

    // MARK: Pushes

    func push() async throws -> String {
        let target: PushRequest.Target =
            switch number(0..<3) {
            case 0: .device("t\(number(0..<8))")
            case 1: .user("u\(number(0..<4))")
            default: .organisation("o\(number(0..<7))")
            }
        let app = chance(2) ? "none" : chance(65) ? "all" : "part"
        let size = [100, 100, 100, 256, 257, 600, 1_024, 1_025][number(0..<8)]
        let tag: ExactText? = chance(40) ? pick(tags) : nil
        let expires: Int64? = chance(35) ? model.now + [-1, 0, 1, 3_000, 3_600_000, 80_000_000][number(0..<6)] : nil
        let bizNo: ExactText? = chance(25) ? ExactText("b\(number(0..<4))") : nil
        let text = "x\(number(0..<2))"
        let request: PushRequest =
            chance(50)
            ? .message(target, from: app, size: size, testOnly: chance(35), tag: tag, expires: expires, bizNo: bizNo, text: text)
            : .configuration(
                target, from: app, size: size, testOnly: chance(35), tag: tag, expires: expires, bizNo: bizNo, text: text)
        let expected = model.push(request)
        let accepted = await anyPort.append(request)
        let what = "push \(app) \(request.interface) \(target) test=\(request.testOnly) size=\(size) -> \(accepted)"
        switch (expected, accepted) {
        case (.stored(let task), .stored(let id)): task.id = id
        case (.repeated(let task), .repeated(let id)): try expect(task.id == id, what)
        case (.refused(let code), .refused(let refusal)): try expect(code == refusal.code, "\(what), expected \(code)")
        default: throw mismatch("\(what), expected \(expected)")
        }
        return what
    }

    func cancel() async throws -> String {
        guard let task = pick(model.tasks), let id = task.id, !task.isUncertain else { return "nothing" }
        model.cancel(task)
        try await anyPort.cancel(id, by: task.request.app)
        return "cancel \(id)"
    }

    private func tell() async throws -> String {
        guard let connection = pick(connections), let task = pick(model.tasks), let id = task.id else { return "nothing" }
        guard !task.isUncertain else { return "nothing" }
        // A holder that is gone has no connection for long; what it still tells is not decided by the interface.
        guard model.holders[connection.holder.token] === connection.holder else { return "nothing" }
        let event = ReceiptEvent.allCases[number(0..<3)]
        let expected = model.tell(task, event, connection.holder)
        let result = try await connection.device.tell(id, event)
        try expect(
            result == expected,
            "\(connection.holder.token) tells \(event) of \(id): \(String(describing: result)), not \(expected)")
        return "tell \(event) of \(id) by \(connection.holder.token)"
    }

    // MARK: The directory

    private func register() async throws -> String {
        let token = "t\(number(0..<8))"
        guard model.holders[token] == nil, let org = pick(sortedOrgs) else { return "nothing" }
        let platform: Platform = chance(60) ? .android : .ios
        let user = chance(60) ? "u\(number(0..<4))" : nil
        let test = chance(30)
        model.register(token, platform, org, user, test)
        try await anyPort.makeDevice(token, in: org.id, platform, user: user, test: test)
        return "register \(token) \(platform) \(org.id) \(user ?? "-") test=\(test)"
    }

    private func changeDevice() async throws -> String {
        guard let holder = pick(sortedHolders) else { return "nothing" }
        if chance(15) {
            model.remove(holder)
            try await anyPort.removeDevice(holder.token)
            return "remove \(holder.token)"
        }
        var (org, user, test) = (holder.org, holder.user, holder.test)
        if chance(50), let other = pick(sortedOrgs) { org = other }
        if chance(30) { user = chance(25) ? nil : "u\(number(0..<4))" }
        if chance(45) { test.toggle() }
        let isNewSecret = chance(10)
        model.change(holder, org: org, user: user, test: test)
        try await anyPort.change(holder.token) { change in
            change.organisation = OrgID(unchecked: org.id)
            change.user = user.map { .set(UserID(unchecked: $0)) } ?? .clear
            change.test = test
            if isNewSecret { change.secret = "secret" }
        }
        return "change \(holder.token) \(org.id) \(user ?? "-") test=\(test)"
    }

    private func changeTree() async throws -> String {
        let id = "o\(number(0..<7))"
        guard let org = model.orgs[id] else {
            let parent = chance(80) ? pick(sortedOrgs) : nil
            model.orgs[id] = Model.Org(id, parent)
            try await anyPort.makeOrg(id, under: parent?.id)
            return "create \(id) below \(parent?.id ?? "-")"
        }
        let isScope = model.scopes.values.contains(id)
        let isInUse = model.orgs.values.contains { $0.parent === org } || model.holders.values.contains { $0.org === org }
        if !isInUse && !isScope && chance(40) {
            model.remove(org)
            try await anyPort.removeOrg(id)
            return "remove \(id)"
        }
        let parent = chance(80) ? pick(sortedOrgs.filter { !$0.path.contains { $0 === org } }) : nil
        model.reparent(org, under: parent)
        try await anyPort.moveOrg(id, under: parent?.id)
        return "reparent \(id) below \(parent?.id ?? "-")"
    }

    // MARK: Connections

    private func useConnection() async throws -> String {
        if connections.isEmpty || chance(25) { return try await connect() }
        let index = number(0..<connections.count)
        let token = connections[index].holder.token
        switch number(0..<10) {
        case 0..<3:
            try await connections[index].device.read(limit: number(1..<26))
            // Compared by its rows, from which the model learns their places.
            try await compare(connections[index])
            return "read \(token)"
        case 3..<7:
            let rows = connections[index].device.outstanding.prefix(20).filter { _ in chance(60) }.shuffled(using: &random)
            let kind: Delivery.Kind = chance(80) ? .delivered : chance(50) ? .skipped : .rejected(reasonCode: 0x97)
            connections[index].device.settle(rows, kind)
            connections[index].lastSettled = rows
            try settle(rows, connections[index].holder, kind)
            return "settle \(rows.count) of \(token)"
        case 7:
            let connection = connections[index]
            connection.device.settleAgain(connection.lastSettled, by: anyPort)
            return "settle again \(connection.lastSettled.count) of \(token)"
        default:
            try disconnect(connections.remove(at: index))
            return "disconnect \(token)"
        }
    }

    /// - Parameter subject: a holder who must acknowledge nothing now, as who is taken over does.
    func connect(sparing subject: Model.Holder? = nil) async throws -> String {
        guard let holder = pick(sortedHolders), holder !== subject else { return "nothing" }
        let isFirst = chance(50)
        let (port, loop) = isFirst ? (fixture.port, fixture.loop) : (fixture.other, fixture.otherLoop)
        guard let index = connections.firstIndex(where: { $0.holder === holder }) else {
            connections.append(Connection(device: try await port.connect(holder.token), loop: loop, holder: holder))
            return "connect \(holder.token) at \(isFirst ? "one" : "the other")"
        }
        // Taken over, perhaps from the other port.
        let old = connections.remove(at: index)
        let id = DeviceSession.newID()
        let token = holder.token
        let waiting = Task { try await DeviceSession.connect(token, port, as: id).attached }
        try await old.loop.waitForClose(of: old.device.id, .takenOver)
        try disconnect(old)
        connections.append(
            Connection(device: DeviceSession(port, id, try await waiting.value), loop: loop, holder: holder))
        return "take \(holder.token) over at \(isFirst ? "one" : "the other")"
    }

    private func disconnect(_ connection: Connection) throws {
        let rows = connection.device.outstanding.prefix(20).filter { _ in chance(30) }
        connection.device.disconnect(settling: Array(rows))
        try settle(rows, connection.holder, .delivered)
    }

    func settle(_ rows: some Sequence<Row>, _ holder: Model.Holder, _ kind: Delivery.Kind) throws {
        for row in rows {
            guard let offer = holder.offers.first(where: { $0.position == row.position }) else {
                throw mismatch("\(holder.token) was offered \(row.task) at \(row.position), which the model does not know")
            }
            model.settle(offer, holder, kind)
        }
    }
}
