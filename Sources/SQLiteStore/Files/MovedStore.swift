internal import Base
internal import Glibc
internal import Push

/// `psp.moved`, in the data directory of a store that goes on elsewhere: the address of the shared store into which it was moved.
///
/// It is there before the shared store has what was moved, so that it may tell of a moving that was broken off at its end. No
/// server opens such a directory: devices and callers would find two stores that go on apart, after a restart of the machine for
/// one. Who wants to go back removes the file.
public struct MovedStore {
    private let directory: String
    private let address: String
    private var path: String { Self.path(directory) }

    private static func path(_ directory: String) -> String { directory + "/psp.moved" }

    /// - Parameter address: of the shared store, without a password.
    init(_ directory: String, address: String) { (self.directory, self.address) = (directory, address) }

    /// - Throws: `failed`, naming the address and what to do, where the store in the directory was moved.
    public static func refuse(_ directory: String) throws(SQLiteStoreError) {
        guard let address = try address(in: directory) else { return }
        throw .failed(
            BilingualText(
                "\(directory) 中的存储已移入 \(address)，或移入时在最后一步中断（可用 pspctl store check 查看）：请以 --store '\(address)' "
                    + "启动；没有移入，或没有节点接受过推送而要退回时，删除 \(path(directory))",
                "the store in \(directory) was moved to \(address), or that was broken off at its end (pspctl store check "
                    + "tells): start with --store '\(address)'; where it is not there, or to go back while no node has taken a "
                    + "push, remove \(path(directory))"))
    }

    /// - Throws: `failed` where it was moved to another address: there would be three stores.
    func refuseElsewhere() throws(SQLiteStoreError) {
        guard let other = try Self.address(in: directory), other != address else { return }
        throw .failed(
            BilingualText(
                "\(directory) 中的存储已移入 \(other)；确实要移到别处时，删除 \(path)",
                "the store in \(directory) was moved to \(other) already; to move it elsewhere all the same, remove \(path)"))
    }

    /// From now on no server opens the directory. Whole or not at all, and on the disk.
    func write() throws(SQLiteStoreError) {
        try StoreFile.write("\(address)\n", to: path, givenToTheOwnerOf: directory)
        StoreFile.syncDirectory(of: path)
    }

    /// Servers may open the directory again.
    func remove() {
        unlink(path)
        StoreFile.syncDirectory(of: path)
    }

    private static func address(in directory: String) throws(SQLiteStoreError) -> String? {
        let path = path(directory)
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .failed(path, .last)
        }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .failed(path, .last) }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
