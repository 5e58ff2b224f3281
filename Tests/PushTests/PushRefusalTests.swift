import Push
import Testing

/// One table a code: a body, and the field that is answered with it.
@Suite("what the body of a push is refused for")
struct PushRefusalTests {
    @Test(
        "2101: not JSON, or not UTF-8",
        arguments: [
            "", " ", "{", "nonsense", "{\"type\":}", "{\"type\":\"unicast\",}", "{'type':'unicast'}", "{}{}", "\u{FEFF}{}",
            "[".repeated(65_536), "{\"a\":".repeated(13_000), Samples.body(#""custom":"\ud83d""#),
            Samples.body(#""custom":"\ude00x""#),
            Samples.body(#""custom":{"\udead":1}"#), Samples.body(#""custom":01"#), Samples.body(#""custom":NaN"#),
            Samples.body("\"custom\":\"a\u{1}b\""), Samples.body(#""custom":"\x41""#), Samples.body(#""custom":1."#),
        ])
    func invalidJSON(body: String) {
        #expect(throws: Refusal(.invalidJSON)) { try decode(body) }
    }

    @Test(
        "2101: bytes that are not UTF-8",
        arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        let parts = Samples.body("\"custom\":\"|\"").split(separator: "|").map { Array($0.utf8) }
        #expect(throws: Refusal(.invalidJSON)) {
            try PushDecoder.decode(parts[0] + bytes + parts[1], for: .message, from: Samples.app)
        }
    }

    @Test(
        "2103 without a field: JSON that is no object",
        arguments: ["[]", "null", "true", "1e400", "\"x\"", "[\(Samples.message)]"])
    func noObject(body: String) {
        #expect(throws: Refusal(.invalidValue)) { try decode(body) }
    }

    @Test(
        "2104: a field that the interface does not list, anywhere outside custom",
        arguments: [
            ("{\"x\":1}", .message, "x"), (Samples.top("\"appkey\":\"a\""), .message, "appkey"),
            (Samples.top("\"Type\":\"a\""), .message, "Type"),
            (Samples.top("\"alias\":null"), .message, "alias"), (Samples.top("\"\":1"), .message, ""),
            (Samples.top("\"title\":\"t\""), .message, "title"), (Samples.top("\"custom\":\"t\""), .message, "custom"),
            (Samples.top("\"expire_time\":1"), .message, "expire_time"),
            (Samples.payload(",\"title\":\"t\""), .message, "payload.title"),
            (Samples.payload(",\"policy\":{}"), .message, "payload.policy"),
            (Samples.payload(",\"extra\":{}"), .message, "payload.extra"),
            (Samples.body("\"custom\":1,\"text\":\"t\""), .message, "payload.body.text"),
            (Samples.body("\"custom\":1,\"title\":\"t\""), .message, "payload.body.title"),
            (Samples.body("\"title\":\"t\""), .message, "payload.body.title"),
            (Samples.body("\"title\":\"t\",\"icon\":\"i\"", as: "notification"), .message, "payload.body.icon"),
            (Samples.top("\"policy\":{\"start_time\":1}"), .message, "policy.start_time"),
            (Samples.top("\"policy\":{\"tag\":\"t\"}"), .message, "policy.tag"),
            (Samples.configuration("\"display_type\":\"message\",\"body\":\"x\""), .configuration, "payload.display_type"),
            (Samples.message, .configuration, "payload.display_type"),
            (Samples.configuration("\"body\":\"x\",\"title\":\"t\""), .configuration, "payload.title"),
            (Samples.top("\"policy\":{},\"policy\":{\"x\":1}"), .message, "policy.x"),
            (Samples.top("\"payload\":{\"body\":{\"y\":1}}"), .message, "payload.body.y"),
            (Samples.payload(",\"body\":{\"z\":1}"), .message, "payload.body.z"),
            (Samples.top("\"\("k".repeated(200))\":1"), .message, "k".repeated(128)),
        ] as [(String, Interface, String)])
    func unsupported(body: String, interface: Interface, field: String) {
        #expect(throws: Refusal(.unsupportedField, field: field)) { try decode(body, interface) }
    }

    @Test(
        "2102: a required field that is missing",
        arguments: [
            ("{}", .message, "type"), ("{}", .configuration, "type"), ("{\"payload\":{}}", .message, "type"),
            (#"{"type":"unicast"}"#, .message, "device_tokens"),
            (Samples.target(#""type":"unicast""#), .message, "device_tokens"),
            (#"{"type":"groupcast"}"#, .message, "org_id"),
            (#"{"type":"unicast","device_tokens":"d"}"#, .message, "payload"),
            (#"{"type":"unicast","user_id":"d"}"#, .configuration, "payload"), (#"{"type":"broadcast"}"#, .message, "payload"),
            (#"{"type":"unicast","device_tokens":"d","payload":{}}"#, .message, "payload.display_type"),
            (#"{"type":"unicast","device_tokens":"d","payload":{"display_type":"message"}}"#, .message, "payload.body"),
            (#"{"type":"unicast","device_tokens":"d","payload":{"body":{}}}"#, .message, "payload.display_type"),
            (Samples.body("", as: "notification"), .message, "payload.body.title"),
            (Samples.body("\"custom\":1", as: "notification"), .message, "payload.body.title"),
            (Samples.body("", as: "message"), .message, "payload.body.custom"),
            (#"{"type":"unicast","device_tokens":"d","payload":{}}"#, .configuration, "payload.body"),
            (Samples.configuration, .message, "payload.display_type"),
        ] as [(String, Interface, String)])
    func missing(body: String, interface: Interface, field: String) {
        #expect(throws: Refusal(.missingField, field: field)) { try decode(body, interface) }
    }

    @Test(
        "2103: a type or target that is not allowed",
        arguments: [
            (Samples.target(#""type":"broadcast","device_tokens":"d""#), "type"),
            (Samples.target(#""type":"UNICAST","device_tokens":"d""#), "type"),
            (Samples.target(#""type":null,"device_tokens":"d""#), "type"),
            (Samples.target(#""type":1,"device_tokens":"d""#), "type"),
            (Samples.target(#""type":"","device_tokens":"d""#), "type"),
            (Samples.target(#""type":"unicast","device_tokens":"d","user_id":"u""#), "user_id"),
            (Samples.target(#""type":"unicast","device_tokens":"d","user_id":null"#), "user_id"),
            (Samples.target(#""type":"unicast","device_tokens":"d","org_id":"o""#), "org_id"),
            (Samples.target(#""type":"unicast","user_id":"u","org_id":null"#), "org_id"),
            (Samples.target(#""type":"groupcast","org_id":"o","device_tokens":"d""#), "device_tokens"),
            (Samples.target(#""type":"groupcast","org_id":"o","device_tokens":null"#), "device_tokens"),
            (Samples.target(#""type":"groupcast","org_id":"o","user_id":"u""#), "user_id"),
            (#"{"type":"groupcast","device_tokens":"d"}"#, "device_tokens"),
            (#"{"type":"groupcast","user_id":null}"#, "user_id"), (#"{"type":"unicast","org_id":"o"}"#, "org_id"),
            (Samples.target(#""type":"unicast","org_id":"o""#), "org_id"),
            (Samples.target(#""type":"groupcast","user_id":"u""#), "user_id"),
            (Samples.target(#""type":"unicast","device_tokens":null"#), "device_tokens"),
            (Samples.target(#""type":"unicast","device_tokens":["d"]"#), "device_tokens"),
            (Samples.target(#""type":"unicast","device_tokens":7"#), "device_tokens"),
            (Samples.target(#""type":"unicast","device_tokens":"""#), "device_tokens"),
            (Samples.target(#""type":"unicast","device_tokens":"a,b""#), "device_tokens"),
            (Samples.target(#""type":"unicast","device_tokens":"a b""#), "device_tokens"),
            (Samples.target(#""type":"unicast","device_tokens":"设备""#), "device_tokens"),
            (Samples.target("\"type\":\"unicast\",\"device_tokens\":\"\("d".repeated(129))\""), "device_tokens"),
            (Samples.target(#""type":"unicast","user_id":null"#), "user_id"),
            (Samples.target(#""type":"unicast","user_id":"u/1""#), "user_id"),
            (Samples.target(#""type":"groupcast","org_id":null"#), "org_id"),
            (Samples.target(#""type":"groupcast","org_id":{}"#), "org_id"),
            (Samples.target(#""type":"groupcast","org_id":"\u0000""#), "org_id"),
        ])
    func targetValue(body: String, field: String) {
        #expect(throws: Refusal(.invalidValue, field: field)) { try decode(body) }
    }

    @Test(
        "2103: a payload that is not allowed",
        arguments: [
            (#"{"type":"unicast","device_tokens":"d","payload":null}"#, .message, "payload"),
            (#"{"type":"unicast","device_tokens":"d","payload":"{}"}"#, .message, "payload"),
            (#"{"type":"unicast","device_tokens":"d","payload":[]}"#, .configuration, "payload"),
            (Samples.body("\"custom\":1", as: "Message"), .message, "payload.display_type"),
            (Samples.body("\"title\":\"t\"", as: ""), .message, "payload.display_type"),
            (
                #"{"type":"unicast","device_tokens":"d","payload":{"display_type":null,"body":{"custom":1}}}"#, .message,
                "payload.display_type"
            ),
            (
                #"{"type":"unicast","device_tokens":"d","payload":{"display_type":"message","body":"x"}}"#, .message,
                "payload.body"
            ),
            (
                #"{"type":"unicast","device_tokens":"d","payload":{"display_type":"message","body":null}}"#, .message,
                "payload.body"
            ),
            (#"{"type":"unicast","device_tokens":"d","payload":{"display_type":"message","body":[]}}"#, .message, "payload.body"),
            (Samples.body("\"title\":1", as: "notification"), .message, "payload.body.title"),
            (Samples.body("\"title\":null", as: "notification"), .message, "payload.body.title"),
            (Samples.body("\"title\":{}", as: "notification"), .message, "payload.body.title"),
            (Samples.body("\"title\":\"\"", as: "notification"), .message, "payload.body.title"),
            (Samples.configuration("\"body\":null"), .configuration, "payload.body"),
            (Samples.configuration("\"body\":{\"cache\":2}"), .configuration, "payload.body"),
            (Samples.configuration("\"body\":2"), .configuration, "payload.body"),
        ] as [(String, Interface, String)])
    func payloadValue(body: String, interface: Interface, field: String) {
        #expect(throws: Refusal(.invalidValue, field: field)) { try decode(body, interface) }
    }

    @Test(
        "2103: options that are not allowed",
        arguments: [
            (Samples.payload(",\"production_mode\":\"TRUE\""), "payload.production_mode"),
            (Samples.payload(",\"production_mode\":\"\""), "payload.production_mode"),
            (Samples.payload(",\"production_mode\":1"), "payload.production_mode"),
            (Samples.payload(",\"production_mode\":null"), "payload.production_mode"),
            (Samples.top("\"production_mode\":0"), "production_mode"),
            (Samples.payload(",\"description\":1"), "payload.description"),
            (Samples.payload(",\"description\":null"), "payload.description"),
            (Samples.payload(",\"description\":\"\("a".repeated(1025))\""), "payload.description"),
            (Samples.payload(",\"description\":\"\("中".repeated(342))\""), "payload.description"),
            (Samples.top("\"description\":[]"), "description"), (Samples.payload(",\"tag\":7"), "payload.tag"),
            (Samples.payload(",\"tag\":\"\("a".repeated(129))\""), "payload.tag"),
            (Samples.payload(",\"tag\":\"\("中".repeated(43))\""), "payload.tag"), (Samples.top("\"tag\":null"), "tag"),
            (
                #"{"type":"unicast","device_tokens":"d","tag":"t","payload":{"display_type":"message","body":{"custom":1},"#
                    + #""tag":"t"}}"#,
                "tag"
            ),
            (
                #"{"type":"unicast","device_tokens":"d","description":"","#
                    + #""payload":{"display_type":"message","body":{"custom":1},"description":"t"}}"#,
                "description"
            ),
            (
                #"{"type":"unicast","device_tokens":"d","production_mode":true,"#
                    + #""payload":{"display_type":"message","body":{"custom":1},"production_mode":"true"}}"#,
                "production_mode"
            ),
        ])
    func optionValue(body: String, field: String) {
        #expect(throws: Refusal(.invalidValue, field: field)) { try decode(body) }
    }

    @Test(
        "2103: a policy that is not allowed",
        arguments: [
            ("null", "policy"), ("[]", "policy"), ("\"x\"", "policy"), (#"{"out_biz_no":""}"#, "policy.out_biz_no"),
            (#"{"out_biz_no":7}"#, "policy.out_biz_no"), (#"{"out_biz_no":null}"#, "policy.out_biz_no"),
            ("{\"out_biz_no\":\"\("a".repeated(129))\"}", "policy.out_biz_no"),
            ("{\"out_biz_no\":\"\("中".repeated(43))\"}", "policy.out_biz_no"),
            (#"{"expire_time":null}"#, "policy.expire_time"), (#"{"expire_time":true}"#, "policy.expire_time"),
            (#"{"expire_time":""}"#, "policy.expire_time"), (#"{"expire_time":"tomorrow"}"#, "policy.expire_time"),
            (#"{"expire_time":1.5e9}"#, "policy.expire_time"), (#"{"expire_time":1800000000.5}"#, "policy.expire_time"),
            (#"{"expire_time":-1}"#, "policy.expire_time"), (#"{"expire_time":"-1"}"#, "policy.expire_time"),
            (#"{"expire_time":"+1800000000"}"#, "policy.expire_time"), (#"{"expire_time":" 1800000000"}"#, "policy.expire_time"),
            (#"{"expire_time":"2027-01-01T00:00:00"}"#, "policy.expire_time"),
            (#"{"expire_time":"2027-01-01"}"#, "policy.expire_time"),
            (#"{"expire_time":9007199254740993}"#, "policy.expire_time"), (#"{"expire_time":1e400}"#, "policy.expire_time"),
            (#"{"expire_time":"99999999999999999999"}"#, "policy.expire_time"),
        ])
    func policyValue(policy: String, field: String) {
        #expect(throws: Refusal(.invalidValue, field: field)) { try decode(Samples.top("\"policy\":\(policy)")) }
        #expect(throws: Refusal(.invalidValue, field: field)) {
            try decode(#"{"type":"groupcast","org_id":"o","payload":{"body":""},"policy":\#(policy)}"#, .configuration)
        }
    }

    @Test(
        "2103: a key that is given twice outside custom, however it is spelled",
        arguments: [
            (Samples.top(#""type":"unicast""#), "type"), (Samples.top(#""t\u0079pe":"unicast""#), "type"),
            (Samples.top(#""payload":{"display_type":"message","body":{"custom":"x"}}"#), "payload"),
            (Samples.payload(#","display_type":"message""#), "payload.display_type"),
            (Samples.payload(#","tag":"a","tag":"a""#), "payload.tag"),
            (Samples.payload(#","body":{"custom":"x"}"#), "payload.body"),
            (Samples.body(#""custom":1,"custom":1"#), "payload.body.custom"),
            (Samples.body(#""custom":1,"\u0063ustom":1"#), "payload.body.custom"),
            (Samples.body(#""title":"t","title":"t""#, as: "notification"), "payload.body.title"),
            (Samples.top(#""policy":{},"policy":{}"#), "policy"),
            (Samples.top(#""policy":{"out_biz_no":"a","out_biz_no":"a"}"#), "policy.out_biz_no"),
        ])
    func duplicates(body: String, field: String) {
        #expect(throws: Refusal(.invalidValue, field: field)) { try decode(body) }
    }

    @Test("the first check that fails answers: unsupported, then missing, then value")
    func order() {
        #expect(throws: Refusal(.unsupportedField, field: "payload.x")) { try decode(#"{"type":7,"payload":{"x":1,"tag":2}}"#) }
        #expect(throws: Refusal(.unsupportedField, field: "y")) { try decode(#"{"type":"a","type":"b","y":1}"#) }
        #expect(throws: Refusal(.missingField, field: "payload")) { try decode(#"{"type":7,"type":8,"tag":null}"#) }
        #expect(throws: Refusal(.missingField, field: "payload.body")) {
            try decode(#"{"type":"unicast","device_tokens":"?","payload":{"display_type":"?"}}"#)
        }
        #expect(throws: Refusal(.invalidValue, field: "tag")) { try decode(#"{"tag":1,"tag":1,"type":7,"payload":7}"#) }
        #expect(throws: Refusal(.invalidJSON)) { try decode(#"{"x":1}]"#) }
    }
}

extension String {
    func repeated(_ times: Int) -> String { String(repeating: self, count: times) }
}
