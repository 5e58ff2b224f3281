import Foundation
import JSON

/// What a server of this machine leaves in its data directory for those who want to reach it.
struct DataDirectory {
    let path: String

    /// - Parameters:
    ///   - option: `--data`.
    ///   - environment: of the process; `PSP_DATA` counts where there is no option.
    init(option: String?, environment: [String: String]) {
        path = option ?? environment["PSP_DATA"] ?? "./data"
    }

    /// The listener under a name of `pspd.json`: `http` or `admin`.
    func endpoint(_ name: String) throws(Failure) -> Endpoint {
        let file = "\(path)/pspd.json"
        guard FileManager.default.fileExists(atPath: file) else { throw .noServer(directory: path) }
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: try read(file))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .file(path: file, reason: "not written by pspd")
        }
        guard let text = document.root[name]?.string, let endpoint = Endpoint(text) else {
            throw .file(path: file, reason: "names no \(name) listener")
        }
        return endpoint.reachable
    }

    /// The token that the server made for its admin listener.
    func adminToken() throws(Failure) -> String {
        let file = "\(path)/admin.token"
        guard FileManager.default.fileExists(atPath: file) else {
            throw .file(path: file, reason: "not there; give the token with --admin-token or PSP_ADMIN_TOKEN")
        }
        let token = String(decoding: try read(file), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty else { throw .file(path: file, reason: "empty") }
        return token
    }

    private func read(_ file: String) throws(Failure) -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw .file(path: file, reason: "cannot be read (\(error.localizedDescription))")
        }
    }
}
