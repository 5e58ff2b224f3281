internal import Foundation

/// A directory that is removed with its last reference.
public final class TemporaryDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// An empty one.
    public init() throws {
        path = FileManager.default.temporaryDirectory.path + "/psp-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // What is left behind of a directory in /tmp does not fail a test.
        _ = try? FileManager.default.removeItem(atPath: path)
    }

    /// How long a file of it is; 0 where there is none.
    public func size(of file: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path + "/" + file)[.size]) as? Int) ?? 0
    }
}
