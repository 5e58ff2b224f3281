internal import Glibc

/// What a process has used, from `/proc`: processor time of all its threads, ended ones included, and resident memory.
struct ProcessUsage: Codable, Sendable {
    /// User and system time in microseconds, to the clock tick (10 ms).
    var cpu: Int64
    /// Resident memory in bytes.
    var rss: Int64

    /// Nothing yet: what a process that has just begun has used.
    static let none = ProcessUsage(cpu: 0, rss: 0)

    private init(cpu: Int64, rss: Int64) { (self.cpu, self.rss) = (cpu, rss) }

    /// Reads them; nil when there is no such process.
    init?(of process: Int32) {
        guard let stat = Self.file("/proc/\(process)/stat"), let status = Self.file("/proc/\(process)/statm") else { return nil }
        // The name, in parentheses, may hold anything; after it stand fields 3 and following. utime and stime are 14 and 15.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        let pages = status.split(separator: " ")
        guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12]), pages.count > 1,
            let resident = Int64(pages[1])
        else { return nil }
        cpu = (user + system) * 1_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))
        rss = resident * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func file(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}

extension ProcessUsage {
    static func + (left: ProcessUsage, right: ProcessUsage) -> ProcessUsage {
        var sum = left
        sum.cpu += right.cpu
        sum.rss += right.rss
        return sum
    }
}
