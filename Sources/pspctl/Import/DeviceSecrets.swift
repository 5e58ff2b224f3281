import Base
import Crypto
import Glibc
import JSON
import Push

/// Makes secrets for the devices of an import that bring none, and keeps them in a file for whoever sets up the devices.
final class DeviceSecrets {
    let path: String
    private let descriptor: Int32
    private var made: [Made] = []
    /// Where a token stands in `made`.
    private var places: [String: Int] = [:]
    private var unwritten: [UInt8] = DeviceSecrets.heading

    /// A secret of one device, which may stand on several lines.
    private struct Made {
        let token: String
        let secret: String
        /// Its lines of which nobody has said that they were refused.
        var lines: Set<Int> = []
    }

    private static let heading = Array("device_token,secret\n".utf8)

    /// How many are in the file.
    var count: Int { made.count }
    /// The devices that have one.
    var tokens: [String] { made.map(\.token) }

    /// - Parameter path: a new file, which its owner alone may read.
    /// - Throws: `Failure.file` where there is one already: it may hold the only copy of other secrets.
    init(newFile path: String) throws(Failure) {
        descriptor = try Self.create(path)
        self.path = path
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func create(_ path: String) throws(Failure) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let error = SystemError.last
            throw .file(
                path: path,
                reason: error.code == EEXIST
                    ? say("is there already, and is not overwritten", "已存在，不会覆盖")
                    : say("cannot be made: \(error.words)", "无法创建：\(error.words)"))
        }
        return descriptor
    }

    // MARK: Lines

    /// The devices on lines that bring no secret.
    static func tokens(withoutSecretIn batch: ImportBatches.Batch) -> [String] {
        lines(of: batch).compactMap { token(withoutSecretIn: $0) }
    }

    /// Puts a secret into each line that is a device's and has none. What cannot be read is left to the server to refuse.
    /// - Parameter known: devices that keep the secret which they have.
    func complete(_ batch: inout ImportBatches.Batch, except known: Set<String>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(batch.bytes.count + 64 * batch.count)
        for (index, line) in Self.lines(of: batch).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\n")) }
            guard let token = Self.token(withoutSecretIn: line), !known.contains(token),
                let end = line.lastIndex(of: UInt8(ascii: "}"))
            else {
                bytes += line
                continue
            }
            bytes += line[..<end]
            bytes += Array(#","secret":"\#(secret(for: token, line: batch.firstLine + index))"}"#.utf8)
        }
        batch.bytes = bytes
    }

    /// A device that stands on two lines has one secret.
    private func secret(for token: String, line: Int) -> String {
        if let place = places[token] {
            made[place].lines.insert(line)
            return made[place].secret
        }
        let secret = Random.secret()
        places[token] = made.count
        made.append(Made(token: token, secret: secret, lines: [line]))
        unwritten += Self.row(token, secret)
        return secret
    }

    private static func lines(of batch: ImportBatches.Batch) -> [ArraySlice<UInt8>] {
        batch.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    private static func token(withoutSecretIn line: ArraySlice<UInt8>) -> String? {
        guard !line.isEmpty, let root = try? JSONDocument(parsing: Array(line)).root, root.kind == .object,
            root["kind"]?.string == "device", root["secret"] == nil
        else { return nil }
        return root["id"]?.string.flatMap { DeviceToken($0) }?.text
    }

    private static func row(_ token: String, _ secret: String) -> [UInt8] { Array("\(token),\(secret)\n".utf8) }

    // MARK: The file

    /// Writes what was made, to the disk: before it is sent, or a device could have a secret that nobody knows.
    func write() throws(Failure) {
        try Self.write(unwritten, to: descriptor, path)
        unwritten.removeAll(keepingCapacity: true)
    }

    /// Leaves out of the file what no device got: secrets of lines that were refused. Without any there is no file.
    /// - Parameters:
    ///   - refused: numbers of lines.
    ///   - absent: devices that are known not to be there.
    func settle(refused: Set<Int>, absent: Set<String>) throws(Failure) {
        for place in made.indices { made[place].lines.subtract(refused) }
        let kept = made.filter { !$0.lines.isEmpty && !absent.contains($0.token) }
        if kept.isEmpty { unlink(path) } else if kept.count < made.count { try replace(by: kept) }
        made = kept
    }

    /// The import has broken off. A file without a secret is no use to anybody.
    func abandon() {
        guard !made.isEmpty else {
            unlink(path)
            return
        }
        Output.error(
            say(
                "\(path) has the secrets of what was sent; some of it may not have been applied",
                "\(path) 中有已发送内容的密钥，其中一部分可能没有生效"))
    }

    /// The file is whole at each moment, whatever happens: the new one takes its name when it is on the disk.
    private func replace(by kept: [Made]) throws(Failure) {
        let new = "\(path).new"
        let other = try Self.create(new)
        defer { close(other) }
        try Self.write(Self.heading + kept.flatMap { Self.row($0.token, $0.secret) }, to: other, new)
        guard rename(new, path) == 0 else {
            let error = SystemError.last
            throw .file(path: new, reason: say("cannot be renamed: \(error.words)", "无法改名：\(error.words)"))
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(Failure) {
        do throws(SystemError) {
            try writeAll(bytes, to: descriptor)
        } catch {
            throw .file(path: path, reason: say("cannot be written (\(error.words))", "无法写入（\(error.words)）"))
        }
        guard fsync(descriptor) == 0 else {
            let error = SystemError.last
            throw .file(path: path, reason: say("cannot be written (\(error.words))", "无法写入（\(error.words)）"))
        }
    }
}
