internal import Base

extension Requirement {
    /// Unix milliseconds as people read them.
    private func time(_ milliseconds: Int64) -> String { UTCTime.rfc3339(milliseconds) }

    /// How it reads in an error.
    var words: BilingualText {
        switch self {
        case .oneOf(let words):
            BilingualText("应为 \(words.joined(separator: "、")) 之一", "must be one of \(words.joined(separator: ", "))")
        case .listOf(let words):
            BilingualText("应为由 \(words.joined(separator: "、")) 组成的数组", "must be an array of \(words.joined(separator: ", "))")
        case .identifier:
            BilingualText("应为 1 至 128 个字符，可用 A-Z a-z 0-9 . _ : @ -", "must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -")
        case .node:
            BilingualText(
                "应为 1 至 \(NodeName.longest) 个字母、数字、.、_ 或 -", "must be 1 to \(NodeName.longest) letters, digits, ., _ or -")
        case .address: BilingualText("应为 IPv4 或 IPv6 地址", "must be an IPv4 or IPv6 address")
        case .number(let range):
            BilingualText(
                "应为 \(range.lowerBound) 至 \(range.upperBound) 的整数",
                "must be an integer from \(range.lowerBound) to \(range.upperBound)")
        case .text(let range):
            BilingualText(
                "应为 \(range.lowerBound) 至 \(range.upperBound) 字节（UTF-8）的字符串",
                "must be a string of \(range.lowerBound) to \(range.upperBound) bytes of UTF-8")
        case .string: BilingualText("应为字符串", "must be a string")
        case .nonEmptyString: BilingualText("应为非空字符串", "must be a string that is not empty")
        case .object: BilingualText("应为 JSON 对象", "must be a JSON object")
        case .boolean: BilingualText("应为 true 或 false", "must be true or false")
        case .printable: BilingualText("应为可打印的 ASCII 字符，至少 1 个", "must be printable ASCII, at least one character")
        case .fingerprint:
            BilingualText("应为证书的 SHA-256，64 个十六进制数字", "must be the SHA-256 of a certificate, 64 hexadecimal digits")
        case .addresses(let most):
            BilingualText(
                "应为最多 \(most) 个 IP 地址或网段组成的数组，例如 192.0.2.7、10.0.0.0/8、2001:db8::/32",
                "must be an array of at most \(most) addresses or ranges such as 192.0.2.7, 10.0.0.0/8, 2001:db8::/32")
        case .orNull(let other): BilingualText("\(other.words.chinese)，或为 null", "\(other.words.english), or null")
        case .time:
            BilingualText(
                "应为 Unix 时间（秒或毫秒），或带时区的 RFC 3339 时间，例如 2026-11-24T18:30:00+08:00",
                "must be Unix time in s or ms, or RFC 3339 with an offset such as 2026-11-24T18:30:00+08:00")
        case .timeBetween(let start, let end?):
            BilingualText(
                "应晚于当前时间 \(start)（\(time(start))），且不晚于 \(end)（\(time(end))），Unix 毫秒",
                "must be after the present time, \(start) (\(time(start))), and up to \(end) (\(time(end))), in Unix ms")
        case .timeBetween(let start, nil):
            BilingualText(
                "应晚于当前时间 \(start)（\(time(start))），Unix 毫秒",
                "must be after the present time, \(start) (\(time(start))), in Unix ms")
        case .once: BilingualText("只能出现一次", "must be given once")
        case .onlyOneOf(let fields):
            BilingualText(
                "\(fields.joined(separator: "、")) 只能使用其中之一", "only one of \(fields.joined(separator: ", ")) may be given")
        case .onePlace: BilingualText("在 payload 内外只能出现一次", "must be given once, in payload or at the top")
        case .absent(let field, let value): BilingualText("不能与 \(field)=\(value) 同时使用", "does not go with \(field) \(value)")
        case .nothing: BilingualText("不应出现", "must be absent")
        case .unchanged(let value): BilingualText("不能修改，应为 \(value)", "cannot be changed, it is \(value)")
        case .noCycle: BilingualText("不能是其自身或其下级机构", "must be neither itself nor below it")
        case .depth(let most): BilingualText("组织机构最多 \(most) 层", "organisations may be nested \(most) deep")
        case .pageToken: BilingualText("应为上一页返回的 data.next", "must be data.next of the page before")
        case .percentEncoding: BilingualText("应为正确的百分号编码（UTF-8）", "must be percent-encoded UTF-8")
        case .fewerTasks(let limit):
            BilingualText("任务超过 \(limit) 个，请缩小 from 至 to 的时间范围", "more than \(limit) tasks: narrow the time from from to to")
        case .framing(let rule): rule.words
        }
    }
}

extension Requirement.FramingRule {
    var words: BilingualText {
        switch self {
        case .oneLength: BilingualText("Content-Length 只能出现一次", "Content-Length must be given once")
        case .lengthInDigits: BilingualText("Content-Length 应为数字", "Content-Length must be digits")
        case .lengthOrChunks:
            BilingualText("Content-Length 与 Transfer-Encoding 不能同时使用", "Content-Length and Transfer-Encoding exclude each other")
        case .onlyChunked:
            BilingualText("Transfer-Encoding 只能是 chunked，且只能用于 HTTP/1.1", "Transfer-Encoding must be chunked alone, in HTTP/1.1")
        case .chunks: BilingualText("分块格式错误", "a chunk or a trailer is malformed")
        case .noBody: BilingualText("该请求不能带请求体", "this request takes no body")
        case .headerLines: BilingualText("请求头格式错误", "a header line is malformed")
        case .requestLine:
            BilingualText(
                "首行应为方法、路径和 HTTP/1.1，以一个空格分隔", "the first line must be a method, a path and HTTP/1.1, with one blank between them"
            )
        case .plainHTTP:
            BilingualText("此端口使用不加密的 HTTP，收到的是 TLS", "this port speaks plain HTTP, and what came is TLS")
        case .version: BilingualText("应使用 HTTP/1.1", "the version must be HTTP/1.1")
        case .host: BilingualText("Host 应有且只有一个", "Host must be given once")
        case .expectation: BilingualText("Expect 只能是 100-continue", "Expect must be 100-continue")
        }
    }
}
