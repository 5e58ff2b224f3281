internal import Base
internal import Glibc

/// What the system tells of this process. What it does not tell is absent.
struct ProcessFigures {
    /// Seconds of processor time, in the process and in the system for it.
    var processorTime: Double?
    /// In bytes: what is in memory, and what has addresses.
    var residentMemory: UInt64?
    var virtualMemory: UInt64?
    /// Open descriptors, and how many there may be.
    var openFiles: Int?
    var mostFiles: UInt64?
    /// When it began, in seconds of Unix time.
    var startTime: Double?

    /// As of now. It reads files of `/proc`, so it is not for a loop.
    init() {
        readUsage()
        readStatus()
        openFiles = Self.countFiles()
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { mostFiles = UInt64(limit.rlim_cur) }
    }

    private mutating func readUsage() {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        processorTime = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// proc(5): the name stands in parentheses and may hold anything; behind it come the state and numbers.
    private mutating func readStatus() {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try File.read("/proc/self/stat") } catch { return }
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return }
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        // Fields 22 to 24; the state is number 3.
        guard fields.count > 21, let begun = Double(fields[19]), let size = UInt64(fields[20]), let pages = UInt64(fields[21])
        else { return }
        virtualMemory = size
        residentMemory = pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
        let age = Double(BootClock.microseconds) / 1_000_000 - begun / Double(sysconf(Int32(_SC_CLK_TCK)))
        // To a tick: neither the clock nor the boot is known better.
        startTime = ((Double(WallClock.milliseconds) / 1_000 - age) * 100).rounded() / 100
    }

    private static func countFiles() -> Int? {
        // Linux tells how many there are since 6.2; before, they are counted, which takes 0.7 ms a thousand.
        var information = stat()
        if stat("/proc/self/fd", &information) == 0, information.st_size > 0 { return Int(information.st_size) }
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        // Less the directory's own.
        var count = -1
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        return count
    }
}
