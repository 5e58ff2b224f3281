internal import Glibc

/// What the system knows of this process.
struct ProcessFigures: Hashable, Sendable {
    /// User and system time.
    var cpuSeconds: Double
    var residentBytes: UInt64
    var openFiles: UInt64
    var mostOpenFiles: UInt64

    /// As of now. A figure that the system does not give is 0.
    static var now: ProcessFigures {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessFigures(
            cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), residentBytes: residentBytes, openFiles: openFiles,
            mostOpenFiles: UInt64(limit.rlim_cur))
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }

    /// The second number of `statm`, in pages (proc(5)).
    private static var residentBytes: UInt64 {
        do throws(FileError) {
            let fields = String(decoding: try File.read("/proc/self/statm"), as: UTF8.self).split(separator: " ")
            return fields.count > 1 ? (UInt64(fields[1]) ?? 0) * UInt64(sysconf(Int32(_SC_PAGESIZE))) : 0
        } catch {
            return 0
        }
    }

    private static var openFiles: UInt64 {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count: UInt64 = 0
        while let entry = readdir(directory) {
            // Neither "." nor "..", nor the descriptor that reads this.
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        return max(count, 1) - 1
    }
}
