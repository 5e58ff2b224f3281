public import Push

/// An answer that a test did not expect.
public struct UnexpectedAnswer: Error, CustomStringConvertible {
    /// What it was.
    public let description: String
    /// - Parameter answer: what it was.
    public init(_ answer: Any) { description = "unexpected: \(answer)" }
}

/// A port, in a few words.
extension StorePort {
    // MARK: The directory

    /// Registers an organisation.
    @discardableResult
    public func makeOrg(_ id: String, under parent: String? = nil) async throws(StoreError) -> ChangeResult {
        var change = OrganisationChange()
        change.name = id
        if let parent { change.parent = .set(OrgID(unchecked: parent)) }
        return try await apply(.putOrganisation(OrgID(unchecked: id), change))
    }

    /// Gives an organisation another parent, or makes it a root.
    public func moveOrg(_ id: String, under parent: String?) async throws(StoreError) {
        var change = OrganisationChange()
        change.parent = parent.map { .set(OrgID(unchecked: $0)) } ?? .clear
        _ = try await apply(.putOrganisation(OrgID(unchecked: id), change))
    }

    /// Deletes an organisation.
    public func removeOrg(_ id: String) async throws(StoreError) {
        _ = try await apply(.removeOrganisation(OrgID(unchecked: id)))
    }

    /// Registers an app that may use both interfaces.
    @discardableResult
    public func makeApp(_ key: String, scope: String? = nil) async throws(StoreError) -> ChangeResult {
        try await changeApp(key) { change in
            change.name = key
            change.interfaces = [.message, .configuration]
            change.scope = scope.map { .set(OrgID(unchecked: $0)) } ?? .keep
        }
    }

    /// Changes an app.
    @discardableResult
    public func changeApp(_ key: String, _ edit: (inout AppChange) -> Void) async throws(StoreError) -> ChangeResult {
        var change = AppChange()
        edit(&change)
        return try await apply(.putApp(AppKey(unchecked: key), change, secretIfNew: "secret"))
    }

    /// Imports lines.
    /// - Parameters:
    ///   - size: how many lines are a part.
    ///   - patience: `nil` until it has ended.
    public func importLines(
        _ lines: [String], by size: Int = 1_000, as id: ImportID = .drawn(), patience: Duration? = nil
    ) async throws(StoreError) -> ImportReport {
        let last = (lines.count - 1) / size * size
        for start in stride(from: 0, to: last, by: size) {
            try await keep(ImportPart(lines[start..<start + size]), of: id)
        }
        return try await run(id, last: ImportPart(lines[last...]), patience: patience ?? .seconds(600))
    }

    /// Registers a device whose secret is "secret".
    @discardableResult
    public func makeDevice(
        _ token: String, in org: String, _ platform: Platform = .android, user: String? = nil, test: Bool = false
    ) async throws(StoreError) -> ChangeResult {
        try await apply(.device(token, in: org, platform, user: user, test: test))
    }

    /// Changes a device.
    public func change(_ token: String, _ edit: (inout DeviceChange) -> Void) async throws(StoreError) {
        var change = DeviceChange()
        edit(&change)
        _ = try await apply(.putDevice(DeviceToken(unchecked: token), change, secretIfNew: nil))
    }

    /// Moves a device.
    public func move(_ token: String, to org: String) async throws(StoreError) {
        try await change(token) { $0.organisation = OrgID(unchecked: org) }
    }

    /// Gives a device a user, or takes it from its user.
    public func give(_ token: String, to user: String?) async throws(StoreError) {
        try await change(token) { $0.user = user.map { .set(UserID(unchecked: $0)) } ?? .clear }
    }

    /// Deletes a device.
    public func removeDevice(_ token: String) async throws(StoreError) {
        _ = try await apply(.removeDevice(DeviceToken(unchecked: token)))
    }

    // MARK: Pushes

    /// Pushes and expects it to be stored.
    @discardableResult
    public func push(_ request: PushRequest) async throws -> TaskID {
        let accepted = await append(request)
        guard case .stored(let task) = accepted else { throw UnexpectedAnswer(accepted) }
        return task
    }

    /// Pushes and expects it to be refused.
    public func refusal(of request: PushRequest) async throws -> Refusal {
        let accepted = await append(request)
        guard case .refused(let refusal) = accepted else { throw UnexpectedAnswer(accepted) }
        return refusal
    }

    /// A task's counts.
    public func counts(_ task: TaskID) async throws(StoreError) -> Counts { try await report(task, to: nil).counts }

    /// Where a task stands.
    public func status(_ task: TaskID) async throws(StoreError) -> TaskStatus { try await report(task, to: nil).status }

    /// A whole list of a task's devices, in its order.
    public func recipients(
        _ task: TaskID, _ state: RecipientState, limit: Int = 1_000
    ) async throws(StoreError) -> [String] {
        try await all { after throws(StoreError) in
            try await recipients(of: task, to: nil, state: state, after: after, limit: limit)
        }.map(\.device.text)
    }

    /// Every page of a list.
    public func all<Item>(
        _ page: (PageToken?) async throws(StoreError) -> Page<Item>
    ) async throws(StoreError) -> [Item] {
        var found: [Item] = []
        var after: PageToken?
        repeat {
            let next = try await page(after)
            found += next.items
            after = next.next
        } while after != nil
        return found
    }

    // MARK: Devices

    /// Connects a device.
    public func connect(_ token: String) async throws -> DeviceSession { try await DeviceSession.connect(token, self) }

    /// What a device would get if it connected now.
    public func pendingTasks(_ token: String) async throws -> [TaskID] {
        let session = try await connect(token)
        let rows = try await session.read()
        session.disconnect()
        return rows.map(\.task)
    }
}

extension DirectoryChange {
    /// A device whose secret, if it is new, is "secret".
    public static func device(
        _ token: String, in org: String, _ platform: Platform = .android, user: String? = nil, test: Bool? = false
    ) -> DirectoryChange {
        var change = DeviceChange()
        change.platform = platform
        change.organisation = OrgID(unchecked: org)
        change.user = user.map { .set(UserID(unchecked: $0)) } ?? .keep
        change.test = test
        return .putDevice(DeviceToken(unchecked: token), change, secretIfNew: "secret")
    }
}

extension Accepted {
    /// The task of a push that was stored.
    public var storedTask: TaskID? { if case .stored(let task) = self { task } else { nil } }
    /// Whether it was certainly not stored.
    public var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}

extension Counts {
    /// The eight that sum to ``targeted``, by name, without those that are 0.
    public var parts: [RecipientState: Int] {
        let all: [RecipientState: Int] = [
            .delivered: delivered, .pending: pending, .expired: expired, .superseded: superseded, .cancelled: cancelled,
            .withdrawn: withdrawn, .skippedOversize: skippedOversize, .rejected: rejected,
        ]
        return all.filter { $0.value != 0 }
    }
}

extension ImportPart {
    /// Lines of a text.
    public init(_ lines: ArraySlice<String>) {
        self.init(
            firstLine: lines.startIndex + 1, count: lines.count { !$0.isEmpty },
            text: lines.flatMap { Array(($0 + "\n").utf8) })
    }
}

extension String {
    /// A line of an import: an Android device whose secret is "secret".
    public static func deviceLine(_ token: String, in org: String) -> String {
        #"{"kind":"device","id":"\#(token)","platform":"android","org_id":"\#(org)","secret":"secret"}"#
    }
}
