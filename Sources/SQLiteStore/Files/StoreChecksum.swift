internal import Base
internal import Crypto
internal import Glibc
internal import Push

/// `FILE.sha256`, beside a copy: the SHA-256 of all its bytes, as `sha256sum` writes it and `sha256sum -c` reads it. SQLite looks
/// at the structure of a file; a byte that a disk has changed within a text shows here alone.
enum StoreChecksum {
    static func path(of copy: String) -> String { copy + ".sha256" }

    /// The digest of a whole file.
    static func digest(of path: String) throws(SQLiteStoreError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .failed(path, .last) }
        defer { close(file) }
        let digest = RunningDigest(.sha256)
        try StoreFile.forEachPart(of: file, path) { digest.append($0) }
        return digest.finish()
    }

    /// What stands beside a copy; `nil` where nothing does. The name in it counts for nothing: both may have been renamed.
    static func read(beside copy: String) throws(SQLiteStoreError) -> [UInt8]? {
        let path = path(of: copy)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw .failed(path, .last) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw .failed(path, .last) }
        let line = bytes[..<count].drop { $0 == UInt8(ascii: "\\") }.prefix { $0 != UInt8(ascii: "\n") }
        guard let digest = digest(in: line) else {
            throw .failed(BilingualText("\(path) 不是 SHA-256 校验和", "\(path) is no SHA-256 checksum"))
        }
        return digest
    }

    private static func digest(in line: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = line.prefix { $0 != UInt8(ascii: " ") }
        return digits.count == 64 ? Hex.decode(digits) : nil
    }

    /// Writes it, to the disk, whole or not at all.
    static func write(_ digest: [UInt8], beside copy: String) throws(SQLiteStoreError) {
        try StoreFile.write(line(digest, copy), to: path(of: copy))
    }

    /// A name with a line end or a backslash is escaped, and the line begins with a backslash (sha256sum(1)).
    private static func line(_ digest: [UInt8], _ copy: String) -> String {
        let name = copy.split(separator: "/").last.map(String.init) ?? copy
        let escaped = name.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\r": "\\r"
            default: String(scalar)
            }
        }.joined()
        return (escaped == name ? "" : "\\") + "\(Hex.encode(digest))  \(escaped)\n"
    }
}
