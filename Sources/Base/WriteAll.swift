internal import Glibc

/// Writes all of the bytes to a descriptor, in as many calls as the system asks for.
/// - Throws: the first error that is not an interruption; some of the bytes may have been written then.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
    var written = 0
    try writeAll(bytes, to: descriptor, &written)
}

/// The same.
/// - Parameter written: how many bytes were written, also where it fails.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ written: inout Int) throws(SystemError) {
    written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes { [written] in
            write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
        }
        if count > 0 {
            written += count
        } else if count == 0 {
            // No descriptor of ours does this; without an error to report it must still not go on for ever.
            throw SystemError(code: EIO)
        } else if errno != EINTR {
            throw .last
        }
    }
}
