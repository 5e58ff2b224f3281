import Push
import StoreCore
import Testing

@Suite("what a device receives")
struct DeviceMessageTests {
    private let task = TaskID("t-1")

    private func compose(_ push: PushRequest, task: TaskID, version: UInt64?, sentAt: Int64) -> [UInt8] {
        DeviceMessage.compose(
            task: task, app: push.app, displayType: push.payload.displayType, body: push.payload.bytes[push.payload.body],
            tag: push.tag?.text, version: version, sentAt: sentAt)
    }

    @Test("a message: the caller's body byte for byte, absent fields left out")
    func message() throws {
        let request = try push(
            #"{"type":"unicast","user_id":"u","payload":{"body":{ "custom" : [1.10,"\u4e2d"] },"display_type":"message"}}"#)
        #expect(
            text(compose(request, task: task, version: nil, sentAt: 1_795_564_800_000))
                == #"{"task_id":"t-1","appkey":"50e26c315270156df0000031","display_type":"message","#
                + #""body":{"custom":[1.10,"\u4e2d"]},"sent_at":1795564800000}"#)
    }

    @Test("a notification with its tag, escaped as JSON needs")
    func notification() throws {
        let request = try push(
            #"{"type":"unicast","user_id":"u","tag":"\"a\u4e2d","payload":{"body":{"title":"t"},"display_type":"notification"}}"#)
        #expect(
            text(compose(request, task: task, version: nil, sentAt: 1))
                == #"{"task_id":"t-1","appkey":"50e26c315270156df0000031","display_type":"notification","#
                + #""body":{"title":"t"},"tag":"\"a中","sent_at":1}"#)
    }

    @Test("a configuration with its version")
    func configuration() throws {
        let request = try push(#"{"type":"unicast","user_id":"u","payload":{"body":"a\u003db","tag":""}}"#, .configuration)
        #expect(
            text(compose(request, task: task, version: 1 << 53, sentAt: 1))
                == #"{"task_id":"t-1","appkey":"50e26c315270156df0000031","body":"a\u003db","#
                + #""version":9007199254740992,"sent_at":1}"#)
    }

    private func push(_ body: String, _ interface: Interface = .message) throws -> PushRequest {
        let app = try #require(AppKey("50e26c315270156df0000031"))
        return try PushDecoder.decode(Array(body.utf8), for: interface, from: app)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
