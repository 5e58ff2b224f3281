// What a refusal says to a person: the one place for its words, in both languages. None of it holds a secret or an expected
// token.

extension Refusal {
    /// The text of the refusal: the catalogue's, and what the detail adds.
    public func message(in language: Language) -> String {
        guard let detail else { return catalogueText(in: language) }
        let text = detail.narrowed?.text(in: language) ?? catalogueText(in: language)
        let separator = language == .chinese ? "：" : ": "
        var words = detail.words.text(in: language)
        if case .listed = detail, let field { words = "\(Excerpt(field))" + (language == .chinese ? "；" : "; ") + words }
        return words.isEmpty ? text : text + separator + words
    }

    /// Imports and traces share the code of tasks, and are none.
    private func catalogueText(in language: Language) -> String {
        switch (code, field) {
        case (.noSuchTask, "import_id"):
            return BilingualText("导入不存在，或已不再记录", "no such import, or it is no longer remembered").text(in: language)
        case (.noSuchTask, "trace_id"): return BilingualText("跟踪不存在，或已结束", "no such trace, or it has ended").text(in: language)
        default: return code.text(in: language)
        }
    }
}

extension Refusal.Detail {
    /// What is said in place of the catalogue's text, which names more causes than the one that is known.
    fileprivate var narrowed: BilingualText? {
        switch self {
        case .operatorToken: BilingualText("管理令牌缺失或错误", "the operators' token is missing or wrong")
        case .operatorPassword: BilingualText("账号或密码错误", "the name or the password is wrong")
        case .failedLogins: BilingualText("登录失败次数过多，请稍后再试", "too many log-ins have failed; try again later")
        case .signature(.replayed): BilingualText("重复的请求", "the request is a repeat")
        case .signature: BilingualText("请求签名校验失败", "the request's signature is wrong")
        case .timestamp(.malformed, _), .timestamp(.repeated, _): BilingualText("timestamp 不合法", "the timestamp is not allowed")
        case .timestamp(.skewed, _), .timestamp(.forgotten, _):
            BilingualText("timestamp 超出允许的时间范围", "the timestamp is too far from the server's time")
        case .overQuota(.perDay, _): BilingualText("已达到每日推送上限", "the app has pushed what it may today")
        case .ending: BilingualText("服务器正在停止", "the server is about to end")
        case .tooManyTraces: BilingualText("跟踪过多", "too many traces")
        case .holding: BilingualText("该组织机构不能删除", "the organisation cannot be removed")
        case .scopeOf, .scopeOfOperator: BilingualText("该组织机构不能删除", "the organisation cannot be removed")
        default: nil
        }
    }
}

extension Refusal.Detail {
    /// What it adds to the catalogue's text.
    var words: BilingualText {
        switch self {
        case .expected(let requirement, let excerpt): return requirement.words.adding(excerpt, to: requirement)
        case .malformedJSON(let fault, let position):
            let (place, fault) = (position.words, fault.words)
            return BilingualText("\(place.chinese)，\(fault.chinese)", "\(place.english), \(fault.english)")
        case .missing(let fields):
            return BilingualText(
                fields.map { Self.alternatives($0, " 或 ") }.joined(separator: "、"),
                fields.map { Self.alternatives($0, " or ") }.joined(separator: ", "))
        case .listed(let names) where names.isEmpty: return BilingualText("此处不接受任何参数", "none is listed here")
        case .listed(let names):
            return BilingualText("此处可用：\(names.joined(separator: "、"))", "listed here are \(names.joined(separator: ", "))")
        case .size(let size, let limit, let platform):
            return BilingualText(
                "\(platform.name) 设备最多 \(limit) 字节，实际 \(size) 字节",
                "\(size) bytes, and \(platform.name) devices take \(limit) at most")
        case .limit(let limit, let part, let came):
            return BilingualText(
                "\(part.words.chinese)最多 \(limit) 字节" + (came.map { "，实际 \($0) 字节" } ?? ""),
                "\(part.words.english) may have \(limit) bytes at most" + (came.map { ", and has \($0)" } ?? ""))
        case .timestamp(let fault, let time):
            let words = fault.words
            return BilingualText("\(words.chinese)；服务器时间为 \(time)", "\(words.english); the server's time is \(time)")
        case .methods(let methods):
            return BilingualText("可用 \(methods.joined(separator: "、"))", "it takes \(methods.joined(separator: ", "))")
        case .scopeOf(let app):
            return BilingualText("它是应用 \(app.text) 的推送范围", "it is the scope of the app \(app.text)")
        case .holding(let devices, let children):
            return BilingualText(
                "直属设备 \(devices) 台，直接下级组织机构 \(children) 个",
                "devices of its own: \(devices), organisations directly below: \(children)")
        case .scopeOfOperator(let name):
            return BilingualText("它是运维账号 \(name.text) 的管辖范围", "it is the scope of the operator \(name.text)")
        case .role(let role):
            return BilingualText("需要角色 \(role.name)", "it takes the role \(role.name)")
        case .unscoped: return BilingualText("仅限没有管辖范围的运维账号", "it is for operators without a scope")
        case .ownScope:
            return BilingualText("不能移动或删除自己的管辖范围", "an operator does not move or remove the scope that it has")
        case .noSession:
            return BilingualText("管理令牌没有会话和密码", "the installation's token has no session and no password")
        case .operatorToken, .operatorPassword, .failedLogins: return BilingualText("", "")
        case .signature(let fault): return fault.words
        case .overQuota(.perSecond(let count), _):
            return BilingualText("该应用每秒最多推送 \(count) 条", "the app may push \(count) a second")
        case .overQuota(.perDay(let count), _):
            return BilingualText("该应用每天（UTC）最多推送 \(count) 条", "the app may push \(count) a day (UTC)")
        case .ending: return BilingualText("", "")
        case .tooManyTraces(let count):
            return BilingualText(
                "已有 \(count) 个跟踪，请先结束一个：DELETE /psp/admin/trace/{trace_id}",
                "\(count) traces run already: end one, DELETE /psp/admin/trace/{trace_id}")
        case .tooManyOperators(let count):
            return BilingualText("最多 \(count) 个运维账号，请先删除一个", "there are \(count) operators at most: remove one first")
        case .tooManyLists(let count):
            return BilingualText("该应用已有 \(count) 个列表请求在等待", "\(count) lists of the app wait already")
        case .calledFrom(let address):
            guard let address else { return BilingualText("请求的来源地址未知", "where the request came from is not known") }
            return BilingualText("请求来自 \(address)", "it came from \(address)")
        case .wrongSignature:
            return BilingualText(
                "应为 md5hex(lower(appkey)+lower(masterSecret)+timestamp)，timestamp 与请求头中的完全相同",
                "it must be md5hex(lower(appkey)+lower(masterSecret)+timestamp), the timestamp exactly as in the header")
        case .rawSecret:
            return BilingualText(
                "应为 md5hex(lower(appkey)+lower(masterSecret)+timestamp)，不能直接使用密钥",
                "it must be md5hex(lower(appkey)+lower(masterSecret)+timestamp), not the secret itself")
        }
    }

    private static func alternatives(_ field: String, _ or: String) -> String {
        field.split(separator: "/").joined(separator: or)
    }
}

extension BilingualText {
    /// The same, and what came instead. Of a text whose length is what counts, the length too.
    fileprivate func adding(_ excerpt: Excerpt?, to requirement: Requirement) -> BilingualText {
        guard let excerpt else { return self }
        if case .identifier = requirement, excerpt.description.hasPrefix("[") {
            return BilingualText("\(chinese)；是一个字符串，不是数组，收到 \(excerpt)", "\(english); one string, no array; got \(excerpt)")
        }
        guard excerpt.isCut else { return BilingualText("\(chinese)，收到 \(excerpt)", "\(english); got \(excerpt)") }
        return BilingualText(
            "\(chinese)，收到 \(excerpt.byteCount) 字节：\(excerpt)", "\(english); got \(excerpt.byteCount) bytes, \(excerpt)")
    }
}

extension Platform {
    /// As people write it.
    fileprivate var name: String {
        switch self {
        case .android: "Android"
        case .ios: "iOS"
        }
    }
}

extension Refusal.RequestPart {
    fileprivate var words: BilingualText {
        switch self {
        case .body: BilingualText("请求体", "the body")
        case .head: BilingualText("请求行和请求头", "the request line and the headers")
        case .line: BilingualText("每行", "a line")
        }
    }
}

extension Refusal.TimestampFault {
    fileprivate var words: BilingualText {
        switch self {
        case .malformed(let excerpt):
            return BilingualText(
                "格式错误，应为 10 位（秒）或 13 位（毫秒）数字，收到 \(excerpt)", "malformed, it must be 10 digits (s) or 13 (ms); got \(excerpt)")
        case .repeated: return BilingualText("只能出现一次", "it is given more than once")
        case .forgotten:
            return BilingualText(
                "服务器时钟曾经回拨，无法判断该时间的签名是否重复，请稍后重新签名",
                "the server's clock has gone back, and whether a request signed then is a repeat is not known any more; sign it "
                    + "anew in some minutes")
        case .skewed(let difference, let window):
            let (by, most) = (Self.seconds(abs(difference)), Self.seconds(window))
            return difference < 0
                ? BilingualText("比服务器时间慢 \(by) 秒，最多允许相差 \(most) 秒", "\(by) s behind the server's, and \(most) s are allowed")
                : BilingualText("比服务器时间快 \(by) 秒，最多允许相差 \(most) 秒", "\(by) s ahead of the server's, and \(most) s are allowed")
        }
    }

    /// Milliseconds as seconds, with as many decimals as it takes.
    private static func seconds(_ milliseconds: Int64) -> String {
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        guard rest > 0 else { return String(whole) }
        let digits = String(1000 + rest).dropFirst()
        return "\(whole).\(String(digits.reversed().drop { $0 == "0" }.reversed()))"
    }
}

extension Refusal.TextPosition {
    fileprivate var words: BilingualText {
        line == 1
            ? BilingualText("第 \(column) 列（第 \(byte) 字节）", "column \(column) (byte \(byte))")
            : BilingualText("第 \(line) 行第 \(column) 列（第 \(byte) 字节）", "line \(line), column \(column) (byte \(byte))")
    }
}

extension Refusal.JSONFault {
    var words: BilingualText {
        switch self {
        case .empty: BilingualText("内容为空", "the text is empty")
        case .tooLarge: BilingualText("内容过大", "the text is too large")
        case .notUTF8: BilingualText("此处不是 UTF-8 编码", "the bytes here are not UTF-8")
        case .unclosedString: BilingualText("此处开始的字符串没有结束", "the string that begins here does not end")
        case .controlCharacter: BilingualText("字符串中的控制字符须转义", "a control character in a string must be escaped")
        case .syntax: BilingualText("此处语法错误，或内容不完整", "a syntax error, or the text ends too early")
        case .number: BilingualText("此处的数字格式错误", "the number here is malformed")
        case .escape: BilingualText("此处的转义不存在", "there is no such escape")
        case .loneSurrogate: BilingualText("此处的转义只有半个代理对", "the escape here is half of a surrogate pair")
        }
    }
}

extension Refusal.SignatureFault {
    fileprivate var words: BilingualText {
        let signed = "PSP-HMAC-SHA256, appkey, method, path?query, timestamp, nonce, sha256hex(body)"
        return switch self {
        case .required:
            BilingualText(
                "该应用只接受整个请求的签名（authorization: PSP-HMAC-SHA256）",
                "the app takes requests that are signed as a whole only (authorization: PSP-HMAC-SHA256)")
        case .malformed:
            BilingualText(
                "应为 PSP-HMAC-SHA256 nonce=…, content-sha256=…, signature=…，nonce 为 8 至 64 个字符（A-Z a-z 0-9 . _ -），其余各 64 个十六进制数字",
                "it must be PSP-HMAC-SHA256 nonce=…, content-sha256=…, signature=…, with a nonce of 8 to 64 of A-Z a-z 0-9 . _ - "
                    + "and 64 hexadecimal digits each")
        case .repeated: BilingualText("authorization 只能出现一次", "authorization must be given once")
        case .noNonce: BilingualText("写操作须带 nonce", "a request that changes something needs a nonce")
        case .wrong:
            BilingualText(
                "应为 hmac_sha256hex(masterSecret, 各行)，各行以换行符连接：\(signed)",
                "it must be hmac_sha256hex(masterSecret, lines), the lines joined by line feeds: \(signed)")
        case .otherBody:
            BilingualText("请求体的 SHA-256 与 content-sha256 不同", "the body's SHA-256 is not the content-sha256 that was signed")
        case .replayed:
            BilingualText(
                "nonce 已使用过；重试时请用新的 nonce 重新签名，out_biz_no 保持不变",
                "the nonce was used before; sign a retry anew, with a new nonce and the same out_biz_no")
        }
    }
}
