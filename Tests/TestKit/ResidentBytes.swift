import Glibc

/// How much memory this process has in use, in bytes (proc(5), `statm`).
public func residentBytes() throws -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { throw RawConnection.Failure(description: "statm: \(errno)") }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 256)
    fgets(&text, 256, file)
    let words = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
    guard words.count > 1, let pages = Int(words[1]) else { throw RawConnection.Failure(description: "statm is strange") }
    return pages * sysconf(Int32(_SC_PAGESIZE))
}
