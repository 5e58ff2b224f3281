import Base
import Libevent

extension LibeventError {
    /// Why there was no answer, in the language of the program.
    var words: String {
        switch self {
        case .timedOut: say(description, "超时")
        case .disconnected: say(description, "连接被拒绝、关闭或中断")
        case .malformedResponse: say(description, "应答不是 HTTP，或过大")
        case .library(let call): say(description, "\(call) 失败")
        case .system(let call, let code): say(description, "\(call)：\(SystemError(code: code).words)")
        case .addressInUse, .invalidAddress, .distrusted: description
        }
    }
}
