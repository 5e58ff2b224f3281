internal import Glibc

/// A process of this machine that listens on a port, as far as this one may see (proc(5)).
struct PortHolder: Hashable {
    let pid: Int32
    /// The program's name, at most 15 bytes of it.
    let program: String

    /// All of them, by their pids; those of other users are seen by root alone.
    static func all(of port: UInt16) -> [PortHolder] {
        let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listening(on: port, in: text(of: $0)) }
        guard !sockets.isEmpty else { return [] }
        let pids = names(in: "/proc").compactMap { Int32($0) }.sorted()
        return pids.filter { holds($0, anyOf: sockets) }.map { pid in
            PortHolder(pid: pid, program: String(text(of: "/proc/\(pid)/comm").prefix { $0 != "\n" }))
        }
    }

    /// The sockets as `/proc/PID/fd` names them: of each line the local address ends with the port in hexadecimal digits, state
    /// 0A listens, the tenth field is the inode.
    static func listening(on port: UInt16, in table: String) -> [String] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", let digits = fields[1].split(separator: ":").last,
                UInt16(digits, radix: 16) == port
            else { return nil }
            return "socket:[\(fields[9])]"
        }
    }

    private static func holds(_ pid: Int32, anyOf sockets: [String]) -> Bool {
        let directory = "/proc/\(pid)/fd"
        return names(in: directory).contains { sockets.contains(target(of: "\(directory)/\($0)")) }
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    /// Where a symbolic link leads; empty where that cannot be read.
    private static func target(of link: String) -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = readlink(link, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func text(of file: String) -> String {
        do throws(FileError) { return String(decoding: try File.read(file), as: UTF8.self) } catch { return "" }
    }
}
