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
    /// Devices that a line has brought a secret for.
    private var brought: Set<String> = []
    private var unwritten: [UInt8] = DeviceSecrets.heading

    /// A secret of one device, which may stand on several lines.
    private struct Made {
        let token: String
        let secret: String
        /// Its lines of which nobody has said that they were refused; and those after them that bring another one.
        var lines: Set<Int> = []
        var later: Set<Int> = []

        /// Whether the device has it: the last line that was applied says which it has.
        var isKept: Bool { (lines.max() ?? 0) > (later.max() ?? 0) }

        mutating func subtract(_ refused: Set<Int>) {
            lines.subtract(refused)
            later.subtract(refused)
        }
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
        lines(of: batch).compactMap { device(in: $0) }.filter { !$0.hasSecret }.map(\.token)
    }

    /// Puts a secret into each line that is a device's and has none. What cannot be read is left to the server to refuse. A
    /// device for which an earlier line brings one gets no other.
    /// - Parameter known: devices that keep the secret which they have.
    func complete(_ batch: inout ImportBatches.Batch, except known: Set<String>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(batch.bytes.count + 64 * batch.count)
        for (index, line) in Self.lines(of: batch).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\n")) }
            let number = batch.firstLine + index
            let device = Self.device(in: line)
            if let device, device.hasSecret { takesOver(device.token, line: number) }
            guard let device, !device.hasSecret, !known.contains(device.token), !brought.contains(device.token),
                let end = line.lastIndex(of: UInt8(ascii: "}"))
            else {
                bytes += line
                continue
            }
            bytes += line[..<end]
            bytes += Array(#","secret":"\#(secret(for: device.token, line: number))"}"#.utf8)
        }
        batch.bytes = bytes
    }

    /// A line brings a secret of its own.
    private func takesOver(_ token: String, line: Int) {
        if let place = places[token] { made[place].later.insert(line) } else { brought.insert(token) }
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

    private static func device(in line: ArraySlice<UInt8>) -> (token: String, hasSecret: Bool)? {
        guard !line.isEmpty, let root = try? JSONDocument(parsing: Array(line)).root, root.kind == .object,
            root["kind"]?.string == "device", let token = root["id"]?.string.flatMap({ DeviceToken($0) })?.text
        else { return nil }
        return (token, root["secret"] != nil)
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
        for place in made.indices { made[place].subtract(refused) }
        let kept = made.filter { $0.isKept && !absent.contains($0.token) }
        if kept.isEmpty { unlink(path) } else if kept.count < made.count { try replace(by: kept) }
        made = kept
    }

    /// Leaves out of the file what was made for a batch of which nothing was applied.
    func withdraw(_ batch: ImportBatches.Batch) throws(Failure) {
        try settle(refused: Set(batch.firstLine..<batch.firstLine + Self.lines(of: batch).count), absent: [])
    }

    /// The import has broken off. A file without a secret is no use to anybody.
    func abandon() {
        guard !made.isEmpty else {
            unlink(path)
            return
        }
        Output.error(
            say(
                "of the secrets in \(path) perhaps only some have been applied",
                "\(path) 中的密钥可能只有一部分已生效"))
    }

    /// The file is whole at each moment, whatever happens: the new one takes its name when it is on the disk.
    private func replace(by kept: [Made]) throws(Failure) {
        // A name of its own: what an import that was killed has left is in nobody's way.
        let new = "\(path).\(Hex.encode(Random.bytes(4)))"
        let other = try Self.create(new)
        defer { close(other) }
        do throws(Failure) {
            try Self.write(Self.heading + kept.flatMap { Self.row($0.token, $0.secret) }, to: other, new)
            guard rename(new, path) == 0 else {
                let error = SystemError.last
                throw .file(path: new, reason: say("cannot be renamed: \(error.words)", "无法改名：\(error.words)"))
            }
        } catch {
            unlink(new)
            throw error
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
