import JSON
import Libevent
import Push
import SQLiteStore

/// Why a command was not carried out. Ends the program with exit status 1.
enum Failure: Error, Equatable, CustomStringConvertible {
    /// There is no server's file where it should be.
    case noServer(directory: String)
    /// Nothing says by whose rights the server is called: there is no token's file where one would be; `nil`: nodes that share a
    /// store leave none.
    case noToken(file: String?)
    /// A file that is there and cannot be used.
    case file(path: String, reason: String)
    /// The server was not reached, or the connection broke.
    case unreachable(endpoint: Endpoint, reason: String)
    /// The server was reached and is not trusted, or speaks no TLS: the handshake has failed. Nothing was sent inside.
    case distrusted(endpoint: Endpoint, reason: TLSDistrust)
    /// The server answered with a row of its catalogue.
    case refused(status: Int, code: Int, text: String, field: String?)
    /// The secret with which an app's call was signed is not the app's: what is signed here is signed rightly.
    case wrongSecret(app: String)
    /// What the database of a shared store did not allow, or that it was not reached.
    case database(String, reason: BilingualText)
    /// A file of the embedded store is wanted, and there is none; the directory, unless it is clear that nodes share the store.
    case notEmbedded(directory: String?)
    /// What the files of a store did not allow.
    case store(SQLiteStoreError)
    /// What answers is no push server.
    case foreignReply(endpoint: Endpoint, status: Int)
    /// The session of the last log-in is over.
    case sessionEnded(name: String)
    /// Somebody is logged in at another server than the one that is called.
    case loggedInElsewhere(name: String, at: Endpoint, called: Endpoint)
    /// The installation's token is nobody's, and has no password to be changed.
    case nobodysPassword
    /// The operator has thought better of it.
    case declined
    /// There is nothing by that name to be traced.
    case untraceable(String)
    /// What was waited for has not come in time: of which task, and how far it has come.
    case timeout(task: String, progress: String)

    var description: String {
        switch self {
        case .noServer(let directory):
            say(
                "no server runs in \(directory): start pspd, or say where it is with --data DIR or --admin and --http "
                    + "(nodes that share a store leave nothing there: --admin and --admin-token-file)",
                "\(directory) 中没有运行中的服务器：请启动 pspd，或用 --data DIR 或 --admin 和 --http 指定（共用存储的节点不在目录中留下文件：请用 --admin 和 "
                    + "--admin-token-file）"
            )
        case .noToken(let file):
            (file.map { say("\($0): not there; ", "\($0)：不存在；") }
                ?? say("nodes that share a store leave no token in a file; ", "共用存储的节点不在文件中留下令牌；"))
                + say(
                    "log in with pspctl login NAME, or give the token with --admin-token-file or PSP_ADMIN_TOKEN_FILE",
                    "请用 pspctl login NAME 登录，或用 --admin-token-file 或 PSP_ADMIN_TOKEN_FILE 给出令牌")
        case .file(let path, let reason): "\(path): \(reason)"
        case .unreachable(let endpoint, let reason):
            say(
                "cannot reach the server at \(endpoint) (\(reason)); is pspd running?",
                "无法连接服务器 \(endpoint)（\(reason)）；pspd 在运行吗？")
        case .distrusted(let endpoint, let reason):
            say("\(endpoint) is not spoken to: \(reason.words)", "拒绝与 \(endpoint) 通信：\(reason.words)")
        case .refused(let status, let code, let text, let field):
            say("refused with \(code) (HTTP \(status)): \(text)", "被拒绝，\(code)（HTTP \(status)）：\(text)")
                // What is missing is named in the text.
                + (field.map { text.contains($0) ? "" : " [\($0)]" } ?? "")
        case .wrongSecret(let app):
            say(
                "refused with \(ErrorCode.wrongToken.rawValue): what was given with --secret or PSP_SECRET is not the master "
                    + "secret of \(app); where it is lost, an operator makes another one: pspctl app rotate \(app)",
                "被拒绝，\(ErrorCode.wrongToken.rawValue)：--secret 或 PSP_SECRET 给出的不是应用 \(app) 的应用密钥；"
                    + "密钥丢失时请由运维人员更换：pspctl app rotate \(app)")
        case .database(let address, let reason): reason.after(address).text(in: Speech.language)
        case .notEmbedded(let directory):
            (directory.map { say("there is no psp.db in \($0). ", "\($0) 中没有 psp.db。") } ?? "")
                + say(
                    "A store that nodes share is backed up and restored by its database's own means (pg_basebackup with archived "
                        + "WAL): docs/cluster.md, section Backup",
                    "多个节点共用的存储由数据库自己的手段备份和恢复（pg_basebackup 加归档的 WAL）：见 docs/cluster.zh-CN.md 的“备份”")
        case .store(let error): error.text.text(in: Speech.language)
        case .foreignReply(let endpoint, let status):
            say(
                "\(endpoint) answers like no push server (HTTP \(status))",
                "\(endpoint) 的应答不像推送服务器（HTTP \(status)）")
        case .untraceable(let reason):
            say("\(reason); with --future it is traced all the same", "\(reason)；加上 --future 仍可跟踪")
        case .sessionEnded(let name):
            say(
                "the session of \(name) has ended: pspctl login \(name), or pspctl logout",
                "\(name) 的会话已结束：请执行 pspctl login \(name) 或 pspctl logout")
        case .loggedInElsewhere(let name, let endpoint, let called):
            say(
                "\(name) is logged in at \(endpoint), not at \(called): pspctl logout, or give a token with --admin-token",
                "\(name) 登录的是 \(endpoint)，不是 \(called)：请执行 pspctl logout，或用 --admin-token 给出令牌")
        case .nobodysPassword:
            say(
                "the installation's token has no password: log in first, pspctl login NAME",
                "管理令牌没有密码：请先执行 pspctl login NAME 登录")
        case .declined: say("nothing was done", "未做任何更改")
        case .timeout(let task, let progress):
            say("task \(task): not all have an end yet: \(progress)", "任务 \(task)：尚未全部结束：\(progress)")
        }
    }

    /// Whether it is certain that nothing of the call was carried out.
    var isDefinite: Bool {
        switch self {
        case .refused(let status, _, _, _): (400..<500).contains(status)
        case .sessionEnded, .distrusted, .wrongSecret: true
        default: false
        }
    }

    /// The same for a program: `error_code` and `field` where the server gave them, and the text.
    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            if case .refused(_, let code, let text, let field) = self {
                json.member("error_code", code)
                json.member("error_msg", text)
                json.member("field", ifPresent: field)
            } else {
                switch self {
                case .sessionEnded, .wrongSecret: json.member("error_code", ErrorCode.wrongToken.rawValue)
                default: break
                }
                json.member("error_msg", description)
            }
        }
        return json.bytes
    }
}
