import Crypto
import Push
import Testing

@Suite("what a push asks for")
struct PushDecoderTests {
    @Test("a message to a device")
    func message() throws {
        let push = try decode(Samples.message)
        #expect(push.app == Samples.app)
        #expect(push.interface == .message)
        #expect(push.target == .device(DeviceToken(unchecked: "d-1")))
        #expect(push.payload.displayType == .message)
        #expect(text(push.payload.bytes) == #"{"display_type":"message","body":{"custom":"x"}}"#)
        #expect(text(push.payload.bytes[push.payload.body]) == #"{"custom":"x"}"#)
        #expect(push.payload.measuredSize == 48)
        #expect(!push.testOnly)
        #expect(push.description == nil)
        #expect(push.tag == nil)
        #expect(push.expireTime == nil)
        #expect(push.idempotency == nil)
    }

    @Test("a notification to an organisation, with everything, white space included")
    func notification() throws {
        let push = try decode(
            """
            { "type" : "groupcast" , "org_id" : "A-z.0_:@" ,
              "policy" : { "expire_time" : "2026-11-25T08:00:00+08:00" , "out_biz_no" : "单 1" } ,
              "payload" : { "display_type" : "notification" ,
                "body" : { "custom" : { "b" : 1.10 , "a" : [ 1e2 , -0 ] } , "title" : "\\u8b66\\u52a1 通知" } ,
                "production_mode" : "false" , "description" : "" , "tag" : "t \\u4e2d" } }
            """)
        #expect(push.target == .organisation(OrgID(unchecked: "A-z.0_:@")))
        #expect(push.payload.displayType == .notification)
        #expect(
            text(push.payload.bytes[push.payload.body]) == #"{"custom":{"b":1.10,"a":[1e2,-0]},"title":"\u8b66\u52a1 通知"}"#)
        #expect(push.testOnly)
        #expect(push.description == "")
        #expect(push.tag == "t 中")
        #expect(push.expireTime == 1_795_564_800_000)
        #expect(push.idempotency?.outBizNo == "单 1")
    }

    @Test("a configuration to a user")
    func configuration() throws {
        let push = try decode(Samples.configuration, .configuration)
        #expect(push.interface == .configuration)
        #expect(push.target == .user(UserID(unchecked: "u-1")))
        #expect(push.payload.displayType == nil)
        #expect(text(push.payload.bytes[push.payload.body]) == #""cache=2&submit=10""#)
        #expect(push.payload.measuredSize == 28)
    }

    @Test(
        "custom is any JSON, and reaches the device as it was sent",
        arguments: [
            "\"\"", "\"text\"", "null", "true", "0", "[]", "{}", "1.10", "1e2", "-0", "18446744073709551616", "1e400", "-1E-400",
            "0.10e+05",
            #"{"a":1,"a":2}"#, #"{"title":{"title":[]},"unknown":{"type":1}}"#, #""\u4e2d\/\u0001\ud83d\ude00""#, "\"中\u{7F}\"",
            "\" two  spaces \"",
            #"[[[[[[{"":[]}]]]]]]"#,
        ])
    func custom(value: String) throws {
        let push = try decode(Samples.body(" \"custom\" : \(value) "))
        #expect(text(push.payload.bytes[push.payload.body]) == "{\"custom\":\(value)}")
        let shown = try decode(Samples.body("\"custom\":\t\(value)\n,\"title\": \"t\"", as: "notification"))
        #expect(text(shown.payload.bytes[shown.payload.body]) == "{\"custom\":\(value),\"title\":\"t\"}")
    }

    @Test("custom may be as deep as its size allows")
    func deep() throws {
        let depth = 30_000
        let push = try decode(Samples.body("\"custom\":" + "[".repeated(depth) + "]".repeated(depth)))
        #expect(push.payload.measuredSize == 2 * depth + 45)
        #expect(!push.payload.fits(.android))
    }

    @Test(
        "production mode is a boolean or its name, and true unless it is said",
        arguments: [("true", false), ("false", true), ("\"true\"", false), ("\"false\"", true), (#""\u0074rue""#, false)])
    func productionMode(value: String, testOnly: Bool) throws {
        #expect(try decode(Samples.payload(",\"production_mode\":\(value)")).testOnly == testOnly)
        #expect(try decode(Samples.top("\"production_mode\":\(value)")).testOnly == testOnly)
        #expect(
            try decode(Samples.configuration("\"body\":\"x\",\"production_mode\":\(value)"), .configuration).testOnly == testOnly)
    }

    @Test("description, tag and out_biz_no are as long as they may be, in bytes of what is meant")
    func limits() throws {
        let longest = [("a", 1024, 128), ("\\u0061", 1024, 128), ("中", 341, 42), ("\\ud83d\\ude00", 256, 32)]
        for (character, description, tag) in longest {
            let push = try decode(
                Samples.top(
                    "\"description\":\"\(character.repeated(description))\",\"tag\":\"\(character.repeated(tag))\","
                        + "\"policy\":{\"out_biz_no\":\"\(character.repeated(tag))\"}"))
            #expect(push.description?.count == description)
            #expect(push.tag?.text.count == tag)
            #expect(push.idempotency?.outBizNo.text.count == tag)
        }
    }

    @Test("description and tag are read at the top as well")
    func topLevel() throws {
        let push = try decode(Samples.top(#""tag":"t","description":"d","policy":{}"#))
        #expect(push.tag == "t")
        #expect(push.description == "d")
        #expect(push.payload.measuredSize == 48)
        #expect(try decode(Samples.payload(#","tag":"t""#)).payload.measuredSize == 58)
    }

    @Test("an empty tag is as if absent, wherever it stands")
    func emptyTag() throws {
        #expect(try decode(Samples.payload(#","tag":"""#)).tag == nil)
        #expect(try decode(Samples.top(#""tag":"""#)).tag == nil)
    }

    @Test("an escaped key is the key that is meant")
    func escapedKeys() throws {
        let push = try decode(
            #"{"t\u0079pe":"unic\u0061st","\u0075ser_id":"\u0075","payload":{"body":{"cust\u006fm":1},"#
                + #""display_type":"m\u0065ssage"}}"#
        )
        #expect(push.target == .user(UserID(unchecked: "u")))
        #expect(push.payload.displayType == .message)
    }
}

@Suite("a repeat of a push")
struct FingerprintTests {
    private func fingerprint(_ body: String, _ interface: Interface = .message) throws -> [UInt8]? {
        try decode(body, interface).idempotency?.fingerprint
    }

    @Test("is the same without insignificant white space, and only then")
    func sameness() throws {
        let first = Samples.top(#""policy":{"out_biz_no":"n"}"#)
        let original = try #require(try fingerprint(first))
        #expect(original.count == 32)
        #expect(try fingerprint("  " + first.replacing(",", with: " ,\n").replacing(":", with: "\t: ") + "\r\n") == original)
        #expect(try fingerprint(first.replacing("\"x\"", with: "\"x \"")) != original)
        #expect(try fingerprint(first.replacing("\"x\"", with: #""\u0078""#)) != original)
        #expect(try fingerprint(first.replacing("d-1", with: "d-2")) != original)
    }

    @Test("on the other interface is another")
    func interfaces() throws {
        // No body is good for both interfaces, so the rule is seen by its parts.
        let body = #"{"type":"unicast","user_id":"u-1","payload":{"body":"x"},"policy":{"out_biz_no":"n"}}"#
        #expect(try fingerprint(body, .configuration) == Digest.sha256.hash("config\0" + body))
        let message = Samples.top(#""policy":{"out_biz_no":"n"}"#)
        #expect(try fingerprint(message) == Digest.sha256.hash("msg\0" + message))
    }
}
