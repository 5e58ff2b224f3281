internal import Glibc

/// What tells one life of ``BootClock`` from the next.
public enum BootIdentity {
    /// The kernel's number of this boot, with the time namespace, in each of which the clock has a beginning of its own.
    ///
    /// `nil` where the system does not tell: then nobody knows whether the clock has begun anew.
    public static var current: String? {
        guard let boot = line(of: "/proc/sys/kernel/random/boot_id"), !boot.isEmpty else { return nil }
        // Kernels before 5.6 have no such namespaces.
        return boot + " " + (target(of: "/proc/self/ns/time") ?? "")
    }

    private static func line(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return text { read(file, $0, $1) }
    }

    private static func target(of link: String) -> String? { text { readlink(link, $0, $1) } }

    private static func text(_ fill: (UnsafeMutablePointer<CChar>, Int) -> Int) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = fill(start, buffer.count)
            guard count >= 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
    }
}
