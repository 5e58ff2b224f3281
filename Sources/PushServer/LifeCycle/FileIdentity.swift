internal import Glibc

/// Which file a path leads to, however it is written and by whatever links; of one that is not there yet, where it would be made.
enum FileIdentity: Hashable {
    case file(device: dev_t, number: ino_t)
    case missing(device: dev_t, directory: ino_t, name: String)

    /// `nil` where not even its directory is there.
    init?(_ path: String) {
        var information = stat()
        if stat(path, &information) == 0 {
            self = .file(device: information.st_dev, number: information.st_ino)
            return
        }
        guard stat(Self.parent(of: path), &information) == 0 else { return nil }
        self = .missing(device: information.st_dev, directory: information.st_ino, name: Self.name(of: path))
    }

    /// What is open; `nil` where it is no regular file.
    init?(open descriptor: Int32) {
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { return nil }
        self = .file(device: information.st_dev, number: information.st_ino)
    }

    /// The directory that holds it.
    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Its name there.
    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }
}
