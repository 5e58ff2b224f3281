import Base
import Foundation
import JSON

/// What `pspctl login` keeps for the commands after it: whose session it is, at which server. In a file that its owner alone
/// reads.
struct LoginSession: Equatable {
    let endpoint: Endpoint
    let name: String
    let token: String
    /// Unix milliseconds.
    let expiresAt: Int64
    /// The file of those that may have signed the server's certificate, where it was named: an absolute path.
    var authorities: String?

    /// `PSPCTL_SESSION`, or in the user's own directory for settings.
    static func path(environment: [String: String]) -> String {
        if let path = environment["PSPCTL_SESSION"] { return path }
        let settings = environment["XDG_CONFIG_HOME"] ?? "\(environment["HOME"] ?? ".")/.config"
        return "\(settings)/pspctl/session.json"
    }

    /// The one that is kept; `nil` where nobody has logged in.
    static func kept(environment: [String: String]) throws(Failure) -> LoginSession? {
        let path = path(environment: environment)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path) else { throw .unreadable(path, .last) }
        guard let root = try? JSONDocument(parsing: Array(bytes)).root,
            let endpoint = root["admin"]?.string.flatMap({ Endpoint($0) }), let name = root["name"]?.string,
            let token = root["token"]?.string, let expiresAt = root["expires_at"]?.int64
        else { throw .file(path: path, reason: say("not written by pspctl login", "不是 pspctl login 写的")) }
        return LoginSession(
            endpoint: endpoint, name: name, token: token, expiresAt: expiresAt, authorities: root["ca"]?.string)
    }

    /// Keeps it in place of another one.
    func keep(environment: [String: String]) throws(Failure) {
        let path = Self.path(environment: environment)
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var json = JSONWriter()
        json.object { json in
            json.member("admin", "\(endpoint)")
            json.member("name", name)
            json.member("token", token)
            json.member("expires_at", expiresAt)
            json.member("ca", ifPresent: authorities)
        }
        // A new file under another name, so that nobody reads it before its mode is right, and no half of it is ever there.
        let new = "\(path).\(getpid())"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(new, .last) }
        do throws(SystemError) {
            defer { close(descriptor) }
            try writeAll(json.bytes, to: descriptor)
        } catch {
            unlink(new)
            throw .unwritable(new, error)
        }
        guard rename(new, path) == 0 else { throw .unwritable(path, .last) }
    }

    /// Forgets the one that is kept.
    static func forget(environment: [String: String]) throws(Failure) {
        let path = path(environment: environment)
        guard unlink(path) == 0 || errno == ENOENT else { throw .unwritable(path, .last) }
    }
}

extension Failure {
    fileprivate static func unwritable(_ file: String, _ error: SystemError) -> Failure {
        .file(path: file, reason: say("cannot be written: \(error.words)", "无法写入：\(error.words)"))
    }
}
