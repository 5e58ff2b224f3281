import Base
import Crypto
import Glibc
import JSON
import Push

/// Makes secrets for the devices of an import that bring none, and keeps them in a file for whoever sets up the devices.
final class DeviceSecrets {
    let path: String
    private let descriptor: Int32
    private var unwritten: [UInt8] = Array("device_token,secret\n".utf8)
    private(set) var count = 0

    /// - Parameter path: a new file, which its owner alone may read.
    /// - Throws: `Failure.file` where there is one already: it may hold the only copy of other secrets.
    init(newFile path: String) throws(Failure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else {
            let error = SystemError.last
            throw .file(
                path: path,
                reason: error.code == EEXIST ? say("is there already, and is not overwritten", "已存在，不会覆盖") : "\(error)")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The line with a secret, if it is a device's that has none. What cannot be read is left to the server to refuse.
    func complete(_ line: [UInt8]) -> [UInt8] {
        guard let root = try? JSONDocument(parsing: line).root, root.kind == .object, root["kind"]?.string == "device",
            let token = root["id"]?.string.flatMap({ DeviceToken($0) }), root["secret"] == nil,
            let end = line.lastIndex(of: UInt8(ascii: "}"))
        else { return line }
        let secret = Random.secret()
        unwritten += Array("\(token.text),\(secret)\n".utf8)
        count += 1
        return line[..<end] + Array(#","secret":"\#(secret)"}"#.utf8)
    }

    /// Writes what was made, to the disk: before it is sent, or a device could have a secret that nobody knows.
    func write() throws(Failure) {
        do {
            try writeAll(unwritten, to: descriptor)
        } catch {
            throw .file(path: path, reason: say("cannot be written (\(error))", "无法写入（\(error)）"))
        }
        unwritten.removeAll(keepingCapacity: true)
        guard fsync(descriptor) == 0 else {
            let error = SystemError.last
            throw .file(path: path, reason: say("cannot be written (\(error))", "无法写入（\(error)）"))
        }
    }
}
