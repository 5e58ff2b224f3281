internal import Base
internal import Glibc
internal import Push

/// `psp.moved`, in the data directory of a store that goes on elsewhere: the address of the shared store into which it was moved.
///
/// No server opens such a directory: devices and callers would find two stores that go on apart, after a restart of the machine
/// for one. Who wants to go back removes the file.
public enum MovedStore {
    private static func path(_ directory: String) -> String { directory + "/psp.moved" }

    /// - Throws: `failed`, naming the address and what to do, where the store in the directory was moved.
    public static func refuse(_ directory: String) throws(SQLiteStoreError) {
        let path = path(directory)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return }
            throw .failed(path, .last)
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .failed(path, .last) }
        let address = String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        throw .failed(
            BilingualText(
                "\(directory) 中的存储已移入 \(address)：请以 --store '\(address)' 启动；其间没有节点接受过推送而要退回时，删除 \(path)",
                "the store in \(directory) was moved to \(address): start with --store '\(address)'; to go back, where no node "
                    + "has taken a push since, remove \(path)"))
    }

    /// From now on no server opens the directory.
    /// - Parameter address: where its store goes on, without a password.
    static func mark(_ directory: String, movedTo address: String) throws(SQLiteStoreError) {
        let path = path(directory)
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .failed(path, .last) }
        do throws(SystemError) {
            defer { close(file) }
            try StoreFile.give(file, toTheOwnerOf: directory)
            try writeAll(Array("\(address)\n".utf8), to: file)
            guard fsync(file) == 0 else { throw .last }
        } catch {
            throw .failed(path, error)
        }
        StoreFile.syncDirectory(of: path)
    }
}
