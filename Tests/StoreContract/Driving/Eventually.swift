/// Something that a test waited for in vain.
public struct NeverCameAbout: Error, CustomStringConvertible {
    /// What it was, and where the test waits for it.
    public let description: String
}

/// Waits until `condition` holds.
///
/// The bound is for a test that has failed, not for a slow machine: nothing that a store does takes a minute.
/// - Throws: ``NeverCameAbout`` when it does not.
public func eventually(
    _ what: String = "it", fileID: String = #fileID, line: Int = #line, _ condition: () async throws -> Bool
) async throws {
    let latest = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard ContinuousClock.now < latest else {
            throw NeverCameAbout(description: "never came about: \(what), \(fileID):\(line)")
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}
