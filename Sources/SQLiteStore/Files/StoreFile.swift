internal import Base
internal import Glibc
internal import Push

/// What is done with a store's file as a whole.
enum StoreFile {
    /// A name that was made or changed outlasts a power failure only then. Where it cannot be done, nothing more can be.
    static func syncDirectory(of path: String) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// The server may be another user than root, who works on its files while it is down.
    static func give(_ file: Int32, toTheOwnerOf directory: String) throws(SystemError) {
        guard geteuid() == 0 else { return }
        var owner = stat()
        guard stat(directory, &owner) == 0, fchown(file, owner.st_uid, owner.st_gid) == 0 else { throw SystemError.last }
    }

    /// - Parameter remedy: what to do where there is no such file.
    /// - Throws: that there is none, or why it may not be read.
    static func requireReadable(_ path: String, orElse remedy: BilingualText? = nil) throws(SQLiteStoreError) {
        guard access(path, R_OK) != 0 else { return }
        let error = SystemError.last
        guard error.code == ENOENT else { throw .failed(path, error) }
        throw .failed(
            BilingualText(
                "\(path) 不存在" + (remedy.map { "：\($0.chinese)" } ?? ""),
                "\(path) is not there" + (remedy.map { ": \($0.english)" } ?? "")))
    }

    /// Writes a file that its owner alone may read, to the disk, whole or not at all.
    /// - Parameter directory: whose owner is to own it; `nil`: who writes it.
    static func write(
        _ text: String, to path: String, givenToTheOwnerOf directory: String? = nil
    ) throws(SQLiteStoreError) {
        let unfinished = path + ".unfinished"
        let file = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .failed(unfinished, .last) }
        do throws(SystemError) {
            defer { close(file) }
            guard fchmod(file, 0o600) == 0 else { throw .last }
            if let directory { try give(file, toTheOwnerOf: directory) }
            try writeAll(Array(text.utf8), to: file)
            guard fsync(file) == 0, rename(unfinished, path) == 0 else { throw .last }
        } catch {
            unlink(unfinished)
            throw .failed(path, error)
        }
    }

    /// Reads an open file from where it stands to its end.
    static func forEachPart(
        of file: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) throws(SQLiteStoreError) -> Void
    ) throws(SQLiteStoreError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .failed(path, .last) }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
