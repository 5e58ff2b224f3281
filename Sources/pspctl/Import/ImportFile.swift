import Foundation

/// The file that is imported, and how much of it was read and is done.
final class ImportFile {
    private let handle: FileHandle
    /// In bytes; not known of a pipe.
    private let size: Int?
    private var readCount = 0
    /// What was read when the last batch had ended.
    private var doneCount = 0

    /// - Parameter path: `-` is standard input.
    init(_ path: String) throws(Failure) {
        if path == "-" {
            (handle, size) = (.standardInput, nil)
            return
        }
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw .file(path: path, reason: "cannot be opened (\(error.localizedDescription))")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        size = attributes?[.type] as? FileAttributeType == .typeRegular ? attributes?[.size] as? Int : nil
    }

    /// Up to so many bytes.
    func read(_ count: Int) throws -> Data? {
        let data = try handle.read(upToCount: count)
        readCount += data?.count ?? 0
        return data
    }

    func batchEnded() { doneCount = readCount }

    /// What part of the whole is done when such a part of the batch is; `nil` where the whole is not known.
    func fraction(_ batch: Double) -> Double? {
        guard let size, size > 0 else { return nil }
        return (Double(doneCount) + Double(readCount - doneCount) * batch) / Double(size)
    }
}
