internal import Glibc
internal import Push

/// Which file a path leads to.
struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64

    /// - Throws: `errno`.
    init(_ path: String) throws(Errno) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw Errno(code: errno) }
        self.init(information)
    }

    init(_ information: stat) {
        device = UInt64(information.st_dev)
        inode = UInt64(information.st_ino)
    }

    /// Why the system did not tell.
    struct Errno: Error { let code: Int32 }
}

/// Notices that the store's files are no longer those that it has open: what it writes then is nowhere to be found afterwards.
/// Two system calls, twice a second.
struct FileWatch {
    private let files: [(path: String, identity: FileIdentity)]

    /// - Parameter paths: of files that are open.
    init(_ paths: [String]) {
        files = paths.compactMap { path in
            do throws(FileIdentity.Errno) { return (path, try FileIdentity(path)) } catch { return nil }
        }
    }

    /// What has happened to one of them; `nil` where nothing has.
    var loss: BilingualText? {
        for (path, identity) in files {
            do throws(FileIdentity.Errno) {
                if try FileIdentity(path) == identity { continue }
                return Self.sentence(path, BilingualText("替换", "replaced"))
            } catch {
                // A path that leads nowhere is certain; that the system does not tell is no loss.
                if error.code == ENOENT || error.code == ENOTDIR { return Self.sentence(path, BilingualText("删除", "removed")) }
            }
        }
        return nil
    }

    private static func sentence(_ path: String, _ what: BilingualText) -> BilingualText {
        BilingualText(
            "服务器运行期间 \(path) 被\(what.chinese)；此后存储的内容不在任何文件中。请结束服务器，整理好数据目录后再启动",
            "\(path) was \(what.english) while the server ran; what was stored since is in no file. End the server, put the data "
                + "directory in order, and start it")
    }
}
