internal import Postgres
internal import Push

// What PostgreSQL and libpq say is English, or whatever the server was set to: in Chinese it is quoted.

extension PostgresOutcome {
    /// Why nothing has come of a call.
    var words: BilingualText {
        switch self {
        case .rows: BilingualText("已应答", "answered")
        case .tooLarge: BilingualText("应答过大", "the answer is too large")
        case .failed(let error): error.words
        case .unknown(let doubt): doubt.words
        case .unavailable(let reason): reason.words
        }
    }
}

extension PostgresError {
    fileprivate var words: BilingualText { BilingualText(quoting: description, of: "数据库") }
}

extension PostgresDoubt {
    fileprivate var words: BilingualText {
        switch self {
        case .lost(let loss): loss.words
        case .warned(let warning): warning.words
        case .late: BilingualText("没有及时应答", description)
        }
    }
}

extension PostgresUnavailability {
    fileprivate var words: BilingualText {
        switch self {
        case .notReady(let loss): BilingualText(loss.map { "没有连接：\($0.words.chinese)" } ?? "尚未连接", description)
        case .late: BilingualText("未能及时发出", description)
        case .crowded: BilingualText("等待的调用过多", description)
        case .closed: BilingualText("已关闭", description)
        }
    }
}

extension PostgresLoss {
    /// Why there is no session.
    var words: BilingualText {
        switch self {
        case .password(let text): BilingualText("不能读取密码文件：“\(text)”", description)
        case .unresolved(let text): BilingualText("找不到主机：“\(text)”", description)
        case .refused(let host, _, _) where isStandby:
            BilingualText("\(host)：只能读取，是备库（或设了 default_transaction_read_only）", description)
        case .refused(let host, let text, _): BilingualText(quoting: text, of: "libpq").after(host)
        case .everyHost(let losses): BilingualText(losses.map(\.words.chinese).joined(separator: "；"), description)
        case .silent(let host): BilingualText("\(host)：没有应答", description)
        case .setup(let error), .ended(let error): error.words
        case .broken(let text): BilingualText("连接中断：\(BilingualText(quoting: text, of: "libpq").chinese)", description)
        case .readOnly: BilingualText("服务器只能读取", description)
        case .unresponsive: BilingualText("服务器没有应答", description)
        case .abandoned: BilingualText("服务器不提交任何内容", description)
        case .yielded: BilingualText("未能得到所需的全部会话，已暂时交还", description)
        case .closed: BilingualText("已关闭", description)
        case .system(let text): BilingualText(quoting: text, of: "系统")
        }
    }
}
