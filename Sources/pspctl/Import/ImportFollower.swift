import Foundation
import JSON

/// Follows an import that the server goes on with.
struct ImportFollower {
    let client: ServerClient

    /// How often the server is asked.
    private static let interval = Duration.milliseconds(300)
    /// A server that restarts goes on with an import: so long it may be away.
    private static let longestAbsence = Duration.seconds(60)

    /// The address of an import, or of the list.
    static func path(_ number: String? = nil) -> [String] { ["psp", "admin", "imports"] + (number.map { [$0] } ?? []) }

    /// Asks until the import has ended.
    /// - Parameters:
    ///   - report: what the server told of it last.
    ///   - show: is told how far it is, each time.
    /// - Returns: what the server tells of its end.
    func end(of report: JSONValue, _ show: (JSONValue) -> Void) async throws -> JSONValue {
        var report = report
        while report["state"]?.string == "running", let number = report["import_id"]?.string {
            show(report)
            try await Task.sleep(for: Self.interval)
            report = try await ask(number)
        }
        return report
    }

    private func ask(_ number: String) async throws -> JSONValue {
        let deadline = ContinuousClock.now + Self.longestAbsence
        while true {
            do {
                return try await client.send(Call(.get, Self.path(number))).data
            } catch {
                guard case .unreachable = error, ContinuousClock.now < deadline else { throw error }
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// How far an import is, for people.
    static func text(_ report: JSONValue) -> String {
        func number(_ key: String) -> Int64 { report[key]?.int64 ?? 0 }
        var text = say(
            "\(number("done")) of \(number("lines")) lines: \(number("created")) created, "
                + "\(number("updated")) updated, \(number("failed")) failed",
            "\(number("lines")) 行中已完成 \(number("done")) 行：新建 \(number("created"))，更新 \(number("updated"))，失败 \(number("failed"))")
        if let left = report["time_left"]?.int64 {
            let seconds = (left + 999) / 1000
            text += say(", about \(seconds) s left", "，约剩 \(seconds) 秒")
        }
        return text
    }

    /// What part of its lines is done.
    static func fraction(_ report: JSONValue) -> Double {
        Double(report["done"]?.int64 ?? 0) / Double(max(1, report["lines"]?.int64 ?? 1))
    }
}
