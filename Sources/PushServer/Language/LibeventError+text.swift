internal import Base
internal import Libevent
internal import Push

extension LibeventError {
    /// Why it is so, in both languages.
    var text: BilingualText {
        switch self {
        case .addressInUse(let address): BilingualText("\(address) 已被占用", description)
        case .invalidAddress(let text): BilingualText("\"\(text)\" 不是 ADDRESS:PORT", description)
        case .system(let call, let code): BilingualText("\(call)：\(SystemError(code: code).text.chinese)", description)
        case .library(let call): BilingualText("\(call) 失败", description)
        case .timedOut: BilingualText("超时", description)
        case .disconnected: BilingualText("连接被拒绝、关闭或中断", description)
        // A client's: the server meets none.
        case .distrusted: BilingualText(description, description)
        case .malformedResponse: BilingualText("应答不是 HTTP，或过大", description)
        }
    }
}

extension TLSError {
    /// Why it cannot be used, in both languages; OpenSSL's own words are English.
    var text: BilingualText {
        switch self {
        case .certificate(let reason): BilingualText("证书不能使用：\(reason)", description)
        case .key(let reason): BilingualText("私钥不能使用：\(reason)", description)
        case .mismatch: BilingualText("私钥不属于该证书", description)
        case .clientAuthorities(let reason): BilingualText("客户端证书的签发机构不能使用：\(reason)", description)
        case .authorities(let reason): BilingualText("证书的签发机构不能使用：\(reason)", description)
        case .policy(let field, let text): BilingualText("OpenSSL 没有这样的\(field.chinese)：\(text.debugDescription)", description)
        case .ticketKeys(let line): BilingualText("第 \(line) 行不是票据密钥：80 字节的 base64", description)
        case .library(let call): BilingualText("\(call) 失败", description)
        }
    }
}

extension TLSPolicyField {
    fileprivate var chinese: String {
        switch self {
        case .ciphers: " TLS 1.2 密码套件"
        case .suites: " TLS 1.3 密码套件"
        case .groups: "群"
        case .signatureAlgorithms: "签名算法"
        }
    }
}
