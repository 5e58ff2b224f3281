import Push
import Testing

@Suite("what fits a device")
struct ReachTests {
    private func push(size: Int) throws -> Payload {
        let payload = try decode(Samples.body("\"custom\":\"" + "x".repeated(size - 47) + "\"")).payload
        #expect(payload.measuredSize == size)
        return payload
    }

    @Test("256 bytes fit iOS and 1,024 Android, and not one more")
    func limits() throws {
        #expect(try push(size: 256).fits(.ios))
        #expect(try !push(size: 257).fits(.ios))
        #expect(try push(size: 1024).fits(.android))
        #expect(try !push(size: 1025).fits(.android))
    }

    @Test("what counts is what is meant, not how it is spelled")
    func spelling() throws {
        let escaped = try decode(Samples.body("\"custom\":\"\("\\u4e2d".repeated(69))xx\"")).payload
        let raw = try decode(Samples.body("\"custom\" : \"\("中".repeated(69))xx\" ")).payload
        #expect(escaped.measuredSize == 256)
        #expect(raw.measuredSize == 256)
        #expect(escaped.bytes.count == 463)
    }

    @Test(
        "a payload reaches every device, or all but iOS, or is refused",
        arguments: [
            (256, 0, 1, .everyDevice), (256, 1, 0, .everyDevice), (256, 0, 0, .everyDevice), (257, 1, 0, .withoutIOS(skipped: 0)),
            (257, 1, 2, .withoutIOS(skipped: 2)), (257, 0, 0, .withoutIOS(skipped: 0)), (257, 0, 1, nil), (257, 0, 9, nil),
            (1024, 1, 1, .withoutIOS(skipped: 1)), (1025, 1, 0, nil), (1025, 1, 1, nil), (1025, 0, 0, nil),
        ] as [(Int, Int, Int, Payload.Reach?)])
    func reach(size: Int, android: Int, ios: Int, reach: Payload.Reach?) throws {
        let payload = try push(size: size)
        if let reach {
            #expect(try payload.reach(android: android, ios: ios) == reach)
        } else {
            #expect(throws: Refusal(.payloadTooLarge, field: "payload")) { try payload.reach(android: android, ios: ios) }
        }
    }
}

@Suite("what a device tells")
struct DeviceReceiptTests {
    @Test("an event of a task, with or without a word of its own")
    func accepted() throws {
        let receipt = try DeviceReceipt(decoding: Array(#" {"event":"opened","task_id":"t-1"} "#.utf8))
        #expect((receipt.task, receipt.event, receipt.detail) == (TaskID("t-1"), .opened, nil))
        for event in ReceiptEvent.allCases {
            let detailed = try DeviceReceipt(
                decoding: Array(
                    "{\"task_id\":\"t\",\"event\":\"\(event.rawValue)\",\"detail\":\"\("\\u4e2d".repeated(85))x\"}".utf8))
            #expect((detailed.event, detailed.detail) == (event, "中".repeated(85) + "x"))
        }
        #expect(try DeviceReceipt(decoding: Array(#"{"task_id":"","event":"failed","detail":""}"#.utf8)).detail == "")
    }

    @Test(
        "anything else is malformed",
        arguments: [
            ("", .notAnObject), ("x", .notAnObject), ("[]", .notAnObject), ("null", .notAnObject), ("{", .notAnObject),
            (#"{"task_id":"\ud83d","event":"opened"}"#, .notAnObject), ("{}", .field("task_id")),
            (#"{"event":"opened"}"#, .field("task_id")), (#"{"task_id":1,"event":"opened"}"#, .field("task_id")),
            (#"{"task_id":null,"event":"opened"}"#, .field("task_id")), (#"{"task_id":"t"}"#, .field("event")),
            (#"{"task_id":"t","event":"Opened"}"#, .field("event")), (#"{"task_id":"t","event":"delivered"}"#, .field("event")),
            (#"{"task_id":"t","event":null}"#, .field("event")),
            (#"{"task_id":"t","event":"opened","detail":null}"#, .field("detail")),
            (#"{"task_id":"t","event":"opened","detail":7}"#, .field("detail")),
            (#"{"task_id":"t","event":"opened","at":7}"#, .field("at")),
            (#"{"task_id":"t","task_id":"t","event":"opened"}"#, .field("task_id")),
            ("{\"task_id\":\"t\",\"event\":\"failed\",\"detail\":\"\("x".repeated(257))\"}", .field("detail")),
            ("{\"task_id\":\"t\",\"event\":\"failed\",\"detail\":\"\("中".repeated(86))\"}", .field("detail")),
        ] as [(String, DeviceReceipt.Malformed)])
    func malformed(body: String, error: DeviceReceipt.Malformed) {
        #expect(throws: error) { try DeviceReceipt(decoding: Array(body.utf8)) }
    }
}
