internal import Base
internal import Glibc

/// How a file of the audit log ends. A crash, a full disk or a power failure may have left a part of a line there: what is
/// written next would be joined to it, and neither could be read.
struct AuditFileEnd {
    private let descriptor: Int32
    /// No line is longer.
    private static let longestLine = 65_536
    /// How each line begins.
    private static let beginning = Array(#"{"event":""#.utf8)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Takes a part of a line away, as far as it is one of ours; what anybody else has written stays, as a line.
    /// - Returns: whether a line of ours was torn.
    func mend() throws(SystemError) -> Bool {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw .last }
        guard information.st_mode & S_IFMT == S_IFREG, information.st_size > 0 else { return false }
        guard let rest = try rest(of: Int(information.st_size)), !rest.isEmpty else { return false }
        guard Self.isOurs(rest) else {
            try writeAll([UInt8(ascii: "\n")], to: descriptor)
            return false
        }
        guard ftruncate(descriptor, information.st_size - off_t(rest.count)) == 0 else { throw .last }
        return true
    }

    /// What stands behind the last line break; `nil` where the file may only be written.
    private func rest(of size: Int) throws(SystemError) -> ArraySlice<UInt8>? {
        var bytes = [UInt8](repeating: 0, count: min(size, Self.longestLine))
        let count = pread(descriptor, &bytes, bytes.count, off_t(size - bytes.count))
        guard count >= 0 else {
            if errno == EBADF { return nil }
            throw .last
        }
        guard let last = bytes[..<count].lastIndex(of: UInt8(ascii: "\n")) else { return bytes[..<count] }
        return bytes[(last + 1)..<count]
    }

    /// After a power failure a file may be longer than what was written of it: the rest is zeros.
    private static func isOurs(_ rest: ArraySlice<UInt8>) -> Bool {
        guard rest.count < longestLine else { return false }
        let written = rest.prefix { $0 != 0 }
        return written.starts(with: beginning) || beginning.starts(with: written)
    }
}
