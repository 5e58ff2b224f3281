import JSON

/// Secrets that somebody might guess. The server takes them: it may have to serve devices that have none better.
enum WeakSecret {
    /// One that is shorter, in bytes, is weak.
    static let shortest = 16

    static func isWeak(_ secret: String, of name: String) -> Bool {
        secret.utf8.count < shortest || secret.lowercased() == name.lowercased()
    }

    /// Says so on standard error.
    static func warn(_ secret: String?, of name: String) {
        guard let secret, isWeak(secret, of: name) else { return }
        Output.error(
            say(
                "warning: the secret of \(name) is easily guessed (shorter than \(shortest) bytes, or the name itself); without "
                    + "the option one is made",
                "警告：\(name) 的密钥容易被猜到（不足 \(shortest) 字节，或与名称相同）；不给出该选项时会自动生成"))
    }

    /// The same of an import, once for all its lines.
    static func warn(ofLines count: Int) {
        guard count > 0 else { return }
        Output.error(
            say(
                "warning: \(count) lines bring a secret that is easily guessed (shorter than \(shortest) bytes, or the name)",
                "警告：有 \(count) 行的密钥容易被猜到（不足 \(shortest) 字节，或与名称相同）"))
    }

    /// How many lines of an import bring such a secret.
    static func count(in batch: ImportBatches.Batch) -> Int {
        batch.bytes.split(separator: UInt8(ascii: "\n")).count { line in
            guard let root = try? JSONDocument(parsing: Array(line)).root, root.kind == .object,
                let secret = (root["secret"] ?? root["master_secret"])?.string
            else { return false }
            return isWeak(secret, of: root["id"]?.string ?? "")
        }
    }
}
