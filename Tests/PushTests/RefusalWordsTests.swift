import Testing

@testable import Push

@Suite("what a refusal says would be right")
struct RefusalWordsTests {
    private func words(_ body: String, _ interface: Interface = .message) throws -> BilingualText {
        let refusal = try #require(#expect(throws: Refusal.self) { try decode(body, interface) })
        return try #require(refusal.detail).words
    }

    @Test(
        "2103 tells what is allowed, and what came",
        arguments: [
            (
                Samples.target(#""type":"broadcast","device_tokens":"d""#),
                #"must be one of unicast, groupcast; got "broadcast""#, #"应为 unicast、groupcast 之一，收到 "broadcast""#
            ),
            (
                Samples.target(#""type":"unicast","device_tokens":"设备 1""#),
                #"must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -; got "设备 1""#,
                #"应为 1 至 128 个字符，可用 A-Z a-z 0-9 . _ : @ -，收到 "设备 1""#
            ),
            (
                Samples.target(#""type":"unicast","device_tokens":["d", 7]"#),
                #"must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -; one string, no array; got ["d", 7]"#,
                #"应为 1 至 128 个字符，可用 A-Z a-z 0-9 . _ : @ -；是一个字符串，不是数组，收到 ["d", 7]"#
            ),
            (
                Samples.target(#""type":"groupcast","device_tokens":"d""#), "does not go with type groupcast",
                "不能与 type=groupcast 同时使用"
            ),
            (
                Samples.target(#""type":"unicast","device_tokens":"d","user_id":"u""#),
                "only one of device_tokens, user_id may be given", "device_tokens、user_id 只能使用其中之一"
            ),
            (
                Samples.body(#""title":"""#, as: "notification"), #"must be a string that is not empty; got """#,
                #"应为非空字符串，收到 """#
            ),
            (
                Samples.payload(#","production_mode":"yes""#), #"must be true or false; got "yes""#,
                #"应为 true 或 false，收到 "yes""#
            ),
            (
                Samples.payload(",\"tag\":\"\("中".repeated(43))\""),
                "must be a string of 0 to 128 bytes of UTF-8; got 129 bytes, \"\("中".repeated(21))…\"",
                "应为 0 至 128 字节（UTF-8）的字符串，收到 129 字节：\"\("中".repeated(21))…\""
            ),
            (Samples.top(#""type":"unicast""#), "must be given once", "只能出现一次"),
            (
                Samples.top(#""policy":{"expire_time":"tomorrow"}"#),
                #"must be Unix time in s or ms, or RFC 3339 with an offset such as 2026-11-24T18:30:00+08:00; got "tomorrow""#,
                #"应为 Unix 时间（秒或毫秒），或带时区的 RFC 3339 时间，例如 2026-11-24T18:30:00+08:00，收到 "tomorrow""#
            ),
            ("[]", "must be a JSON object", "应为 JSON 对象"),
        ])
    func invalidValue(body: String, english: String, chinese: String) throws {
        #expect(try words(body) == BilingualText(chinese, english))
    }

    @Test(
        "2102 tells all that is missing",
        arguments: [
            ("{}", ["type", "payload"]),
            (#"{"type":"unicast","payload":{}}"#, ["device_tokens/user_id", "payload.display_type", "payload.body"]),
            (#"{"type":"groupcast","payload":{"display_type":"message","body":{}}}"#, ["org_id", "payload.body.custom"]),
            (#"{"payload":{"display_type":"notification","body":{}}}"#, ["type", "payload.body.title"]),
        ])
    func missing(body: String, fields: [String]) throws {
        let refusal = try #require(#expect(throws: Refusal.self) { try decode(body) })
        #expect(refusal.detail == .missing(fields))
        #expect(refusal.field == fields.first?.split(separator: "/").first.map(String.init))
    }

    @Test("alternatives among what is missing are told as such")
    func alternatives() throws {
        let words = try words(#"{"type":"unicast"}"#)
        #expect(words == BilingualText("device_tokens 或 user_id、payload", "device_tokens or user_id, payload"))
    }

    @Test("a new record tells all that it lacks")
    func records() throws {
        let device = try #require(#expect(throws: Refusal.self) { try DeviceChange().required(secretIfNew: nil) })
        #expect(device.detail == .missing(["platform", "org_id", "secret"]))
        let app = try #require(#expect(throws: Refusal.self) { try AppChange().required(secretIfNew: "s") })
        #expect(app.detail == .missing(["name", "interfaces"]))
    }

    @Test("2104 tells what is listed there")
    func listed() throws {
        #expect(try words(Samples.body(#""custom":1,"title":"t""#)).english == "listed here are custom")
        #expect(try words(Samples.payload(#","titel":1"#)).chinese == "此处可用：display_type、body、production_mode、description、tag")
    }

    @Test(
        "2101 tells where, and what is wrong there",
        arguments: [
            ("{", "column 2 (byte 2), a syntax error, or the text ends too early"), ("", "column 1 (byte 1), the text is empty"),
            ("{\n  \"中\": 01}", "line 2, column 8 (byte 12), the number here is malformed"),
            (#"{"a":"b"#, "column 6 (byte 6), the string that begins here does not end"),
            ("{\"a\":\"\t\"}", "column 7 (byte 7), a control character in a string must be escaped"),
            (#"{"a":"\x"}"#, "column 7 (byte 7), there is no such escape"),
        ])
    func position(body: String, english: String) throws {
        #expect(try words(body).english == english)
    }

    @Test("2101 tells where bytes are not UTF-8")
    func encoding() throws {
        let refusal = #expect(throws: Refusal.self) {
            try PushDecoder.decode(Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8), for: .message, from: Samples.app)
        }
        #expect(refusal?.message(in: .chinese) == "请求体不是有效的 JSON（UTF-8）：第 7 列（第 7 字节），此处不是 UTF-8 编码")
    }

    @Test("2104 names the field in its text")
    func unlistedField() {
        let refusal = #expect(throws: Refusal.self) { try decode(Samples.payload(#","titel":1"#)) }
        #expect(
            refusal?.message(in: .english)
                == "the request holds an unsupported field: \"payload.titel\"; listed here are display_type, body, "
                + "production_mode, description, tag")
        #expect(refusal?.message(in: .chinese).hasPrefix("包含不支持的参数：\"payload.titel\"；此处可用：") == true)
    }

    @Test("a text names only the cause that is known")
    func narrowed() {
        let late = Refusal(.badTimestamp, .timestamp(.skewed(by: -700_000, window: 600_000), serverTime: 7))
        #expect(late.message(in: .chinese).hasPrefix("timestamp 超出允许的时间范围：比服务器时间慢 700 秒"))
        let short = Refusal(.badTimestamp, .timestamp(.malformed(Excerpt("12")), serverTime: 7))
        #expect(short.message(in: .chinese).hasPrefix("timestamp 不合法：格式错误，应为 10 位（秒）"))
        #expect(Refusal(.wrongToken, .operatorToken).message(in: .chinese) == "管理令牌缺失或错误")
        #expect(Refusal(.wrongToken, .wrongSignature).message(in: .english).contains("md5hex(lower(appkey)+"))
        #expect(
            Refusal(.organisationInUse, .holding(devices: 3, children: 1)).message(in: .english)
                == "the organisation cannot be removed: devices of its own: 3, organisations directly below: 1")
        #expect(
            Requirement.timeBetween(after: 1_795_514_400_000, through: nil).words.english
                == "must be after the present time, 1795514400000 (2026-11-24T10:00:00.000Z), in Unix ms")
    }

    @Test("2105 tells the size, the limit and the platform")
    func size() throws {
        let payload = try decode(Samples.body("\"custom\":\"\("x".repeated(300))\"")).payload
        let refusal = #expect(throws: Refusal.self) { try payload.reach(android: 0, ios: 1) }
        #expect(refusal?.detail == .size(payload.measuredSize, limit: 256, .ios))
        #expect(refusal?.detail?.words.english == "\(payload.measuredSize) bytes, and iOS devices take 256 at most")
        #expect(refusal?.detail?.words.chinese == "iOS 设备最多 256 字节，实际 \(payload.measuredSize) 字节")
    }

    @Test("an expiry that is not in the future, or too far in it, tells the times between which it must be")
    func expiry() {
        let week = Expiry.longestLifetime
        let message = #expect(throws: Refusal.self) { try Expiry.resolve(7, of: .message, now: 1000, offset: 0) }
        #expect(message?.detail == .expected(.timeBetween(after: 1000, through: 1000 + week)))
        let configuration = #expect(throws: Refusal.self) { try Expiry.resolve(7, of: .configuration, now: 1000, offset: 0) }
        #expect(configuration?.detail == .expected(.timeBetween(after: 1000, through: nil)))
    }

    @Test(
        "2006 tells malformed from skewed, and by how much",
        arguments: [
            (Refusal.TimestampFault.malformed(Excerpt("12")), #"malformed, it must be 10 digits (s) or 13 (ms); got "12""#),
            (.repeated, "it is given more than once"),
            (.skewed(by: -754_200, window: 600_000), "754.2 s behind the server's, and 600 s are allowed"),
            (.skewed(by: 600_001, window: 600_000), "600.001 s ahead of the server's, and 600 s are allowed"),
        ])
    func timestamp(fault: Refusal.TimestampFault, english: String) {
        #expect(Refusal.Detail.timestamp(fault, serverTime: 7).words.english == english + "; the server's time is 7")
    }

    @Test("a secret that is not allowed is not repeated")
    func secrets() throws {
        for body in [#"{"secret":"geheim\n"}"#, #"{"secret":["geheim"]}"#] {
            let refusal = #expect(throws: Refusal.self) { try DirectoryDecoder.device(Array(body.utf8)) }
            #expect(refusal?.detail == .expected(.printable))
            #expect(refusal?.message(in: .english).contains("geheim") == false)
        }
    }

    @Test("what came is cut at 64 bytes, and moves no terminal")
    func excerpts() {
        #expect(Excerpt("a".repeated(64)).description == "\"\("a".repeated(64))\"")
        #expect(Excerpt("a".repeated(65)).description == "\"\("a".repeated(64))…\"")
        #expect(Excerpt("a" + "😀".repeated(16)).description == "\"a\("😀".repeated(15))…\"")
        #expect(Excerpt("\u{1B}[2J\0\u{202E}\u{85}\u{2028}").description == #""\u001b[2J\u0000\u202e\u0085\u2028""#)
        #expect(Excerpt("e" + "\u{301}".repeated(40_000)).description.utf8.count < 80)
    }

    @Test("every requirement is worded in both languages")
    func languages() {
        let rules = Requirement.FramingRule.allCases.map(Requirement.framing)
        let others: [Requirement] = [
            .oneOf(["a"]), .listOf(["a"]), .identifier, .number(1...2), .text(bytes: 1...2), .string, .nonEmptyString, .object,
            .boolean,
            .printable, .orNull(.boolean), .time, .timeBetween(after: 1, through: 2), .timeBetween(after: 1, through: nil), .once,
            .onlyOneOf(["a", "b"]), .onePlace, .absent(with: "a", "b"), .nothing, .unchanged("a"), .noCycle, .pageToken,
            .percentEncoding, .fewerTasks(1),
        ]
        let texts = (rules + others).map(\.words) + Refusal.JSONFault.allCases.map(\.words)
        for text in texts {
            #expect(text.english.utf8.allSatisfy { $0 < 128 }, "\(text)")
            #expect(text.chinese.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }, "\(text)")
        }
        #expect(Set(texts).count == texts.count)
    }
}
