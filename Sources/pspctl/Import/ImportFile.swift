import Base
import Foundation
import Glibc

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
        // Foundation's own words for what the system says are no sentence ("NSCocoaErrorDomain error 260").
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path, .last) }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        size = attributes?[.type] as? FileAttributeType == .typeRegular ? attributes?[.size] as? Int : nil
    }

    /// Up to so many bytes.
    func read(_ count: Int) throws(SystemError) -> Data? {
        var buffer = [UInt8](repeating: 0, count: count)
        var got: Int
        repeat { got = Glibc.read(handle.fileDescriptor, &buffer, count) } while got < 0 && errno == EINTR
        guard got >= 0 else { throw .last }
        readCount += got
        return Data(buffer[..<got])
    }

    func batchEnded() { doneCount = readCount }

    /// What part of the whole is done when such a part of the batch is; `nil` where the whole is not known.
    func fraction(_ batch: Double) -> Double? {
        guard let size, size > 0 else { return nil }
        return (Double(doneCount) + Double(readCount - doneCount) * batch) / Double(size)
    }
}
