internal import Glibc

/// Tells whether a file has changed, or another one has taken its name, without reading it.
struct FileStamp: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// `nil` where there is no file that could be looked at.
    init?(_ path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        device = UInt(information.st_dev)
        inode = UInt(information.st_ino)
        size = Int(information.st_size)
        // When it was changed, or moved here.
        (seconds, nanoseconds) = (information.st_ctim.tv_sec, information.st_ctim.tv_nsec)
    }
}
