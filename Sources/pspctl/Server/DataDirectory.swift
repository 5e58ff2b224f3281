import Base
import Foundation
import JSON

/// What a server of this machine leaves in its data directory for those who want to reach it. One of a store that nodes share has
/// no directory: it is where its settings say, where they are in the environment.
struct DataDirectory {
    let path: String
    /// Whether a store that nodes share is named instead.
    let isShared: Bool
    private let environment: [String: String]

    /// - Parameters:
    ///   - option: `--data`.
    ///   - environment: of the process; where there is no option `PSP_DATA` counts, then `PSP_STORE`.
    init(option: String?, environment: [String: String]) {
        self.environment = environment
        let store = environment["PSP_STORE"] ?? ""
        let named = option ?? environment["PSP_DATA"]
        isShared = StoreName(named ?? store).isDatabase
        path = named ?? (store.hasPrefix("sqlite:") ? String(store.dropFirst("sqlite:".count)) : "./data")
    }

    /// The listener of a server whose settings are in this environment.
    private func listener(_ name: String) -> Endpoint? {
        let usual = ["http": "127.0.0.1:8080", "admin": "127.0.0.1:8081"]
        return (environment["PSP_\(name.uppercased())"] ?? usual[name]).flatMap { Endpoint($0) }
    }

    /// The listener under a name of `pspd.json`: `http` or `admin`.
    /// - Parameter secure: the name of the one with TLS, which is taken where that one is off.
    func endpoint(_ name: String, orSecure secure: String? = nil) throws(Failure) -> Endpoint {
        if isShared, let listener = listener(name) { return listener.reachable(isSecure: false) }
        let file = "\(path)/pspd.json"
        guard !Self.isAbsent(file) else { throw .noServer(directory: path) }
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: try Self.read(file))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .file(path: file, reason: say("not written by pspd", "不是 pspd 写的"))
        }
        if let endpoint = document.root[name]?.string.flatMap({ Endpoint($0) }) { return endpoint.reachable(isSecure: false) }
        if let secure, let endpoint = document.root[secure]?.string.flatMap({ Endpoint($0) }) {
            return endpoint.reachable(isSecure: true)
        }
        throw .file(path: file, reason: say("names no \(name) listener", "没有 \(name) 监听地址"))
    }

    /// Where the server keeps the token that it made for its admin listener.
    var tokenFile: String { "\(path)/admin.token" }

    /// That token.
    func adminToken() throws(Failure) -> String {
        guard !isShared else { throw .noToken(file: nil) }
        guard !Self.isAbsent(tokenFile) else { throw .noToken(file: tokenFile) }
        return try Self.token(in: tokenFile)
    }

    /// The token in the first line of a file.
    static func token(in file: String) throws(Failure) -> String {
        let line = try Self.read(file).prefix { $0 != 0x0A }
        let token = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty else { throw .file(path: file, reason: say("its first line is empty", "第一行为空")) }
        return token
    }

    /// Whether the system says that there is no such file, which is another thing than that it may not be seen.
    static func isAbsent(_ file: String) -> Bool { access(file, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR) }

    /// All of a file.
    static func read(_ file: String) throws(Failure) -> [UInt8] {
        // Foundation's own words for what the system says are no sentence ("NSCocoaErrorDomain error 257").
        guard let stream = fopen(file, "r") else { throw .unreadable(file, .last) }
        defer { fclose(stream) }
        var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            bytes += buffer[..<count]
            guard count == buffer.count else { break }
        }
        guard ferror(stream) == 0 else { throw .unreadable(file, .last) }
        return bytes
    }
}

extension Failure {
    /// A file that the system does not let anybody read, in the system's words.
    static func unreadable(_ file: String, _ error: SystemError) -> Failure {
        .file(path: file, reason: say("cannot be read: \(error.words)", "无法读取：\(error.words)"))
    }
}
