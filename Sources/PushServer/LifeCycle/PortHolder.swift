internal import Glibc
internal import Libevent

/// A process of this machine that listens on a port (proc(5)).
struct PortHolder: Hashable {
    let pid: Int32
    /// The program's name, at most 15 bytes of it.
    let program: String

    /// Of each socket that listens there, who has it, by their pids: nobody where this process may not see it, since root alone
    /// sees those of other users.
    static func ofListeners(on address: SocketAddress) -> [[PortHolder]] {
        let sockets = ListenerTable.sockets(on: address)
        guard !sockets.isEmpty else { return [] }
        var holders: [String: [PortHolder]] = [:]
        for pid in names(in: "/proc").compactMap({ Int32($0) }).sorted() {
            let held = held(by: pid, of: sockets)
            guard !held.isEmpty else { continue }
            let program = text(of: "/proc/\(pid)/comm").prefix { $0 != "\n" }
            for socket in held { holders[socket, default: []].append(PortHolder(pid: pid, program: String(program))) }
        }
        return sockets.map { holders[$0] ?? [] }
    }

    private static func held(by pid: Int32, of sockets: [String]) -> Set<String> {
        let directory = "/proc/\(pid)/fd"
        return Set(names(in: directory).lazy.map { target(of: "\(directory)/\($0)") }.filter(sockets.contains))
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            // Where it stands: an entry is as long as its name, and a copy of the whole field would read beyond it.
            guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { continue }
            names.append(String(cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)))
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
