import JSON

/// Why a server takes no changes, as `/readyz` of its admin listener tells it.
struct Hindrance: Equatable {
    /// `disk_full`, `blocked`, `behind`, `unreachable`, `failed` or `draining`.
    let cause: String
    let detail: String?
    /// What somebody has to do, where it does not heal by itself.
    let remedy: String?

    /// - Returns: `nil` where the answer tells no cause.
    init?(answer: [UInt8]) {
        guard let data = try? JSONDocument(parsing: answer).root["data"], let cause = data["cause"]?.string else { return nil }
        self.cause = cause
        detail = data["detail"]?.string
        remedy = data["remedy"]?.string
    }

    /// What it means, and what there is to do.
    /// - Parameter directory: the server's data directory, where it is known.
    func words(directory: String?) -> String {
        let detail = detail.map { say(" (\(Output.printable($0)))", "（\(Output.printable($0))）") } ?? ""
        let place = directory.map { " \($0)" } ?? ""
        switch cause {
        case "disk_full":
            return say(
                "the disk of its data directory\(place) is full; it goes on by itself when there is room",
                "数据目录\(place) 所在的磁盘已满；有空间后自行恢复")
        case "blocked":
            return say("something keeps its store from writing\(detail); it heals by itself", "存储暂时无法写入\(detail)；会自行恢复")
        case "behind":
            return say("its store cannot keep up; it recovers by itself: pspctl status", "存储处理不过来；会自行恢复：pspctl status")
        case "unreachable":
            if let remedy = remedy.map(Output.printable) {
                return say("its store cannot be used\(detail): \(remedy)", "存储不可用\(detail)：\(remedy)")
            }
            return say("its store cannot be reached\(detail); it goes on by itself when it can", "无法连接存储\(detail)；恢复连接后自动继续")
        case "failed":
            return say("its store has failed\(detail): see its log, and restart it", "存储已失败\(detail)：请看日志，并重新启动服务器")
        case "draining": return say("it is about to end", "服务器正在结束")
        default: return "\(Output.printable(cause))\(detail)"
        }
    }
}
