import Push

/// Bodies that are accepted as they stand; the tables change one thing in them.
enum Samples {
    static let app = AppKey(unchecked: "50e26c315270156df0000031")
    static let message =
        #"{"type":"unicast","device_tokens":"d-1","payload":{"display_type":"message","body":{"custom":"x"}}}"#
    static let notification =
        #"{"type":"groupcast","org_id":"city","payload":{"display_type":"notification","body":{"title":"t","custom":{"a":1}}}}"#
    static let configuration = #"{"type":"unicast","user_id":"u-1","payload":{"body":"cache=2&submit=10"}}"#

    /// A message to a device with this content of `payload`, `body` apart.
    static func payload(_ members: String) -> String {
        #"{"type":"unicast","device_tokens":"d-1","payload":{"display_type":"message","body":{"custom":"x"}\#(members)}}"#
    }

    /// A message to a device with this content of `payload.body`.
    static func body(_ members: String, as displayType: String = "message") -> String {
        #"{"type":"unicast","device_tokens":"d-1","payload":{"display_type":"\#(displayType)","body":{\#(members)}}}"#
    }

    /// A message to a device with further members beside `type`, target and `payload`.
    static func top(_ members: String) -> String {
        #"{"type":"unicast","device_tokens":"d-1","payload":{"display_type":"message","body":{"custom":"x"}},\#(members)}"#
    }

    /// A message with this `type` and target.
    static func target(_ members: String) -> String {
        #"{\#(members),"payload":{"display_type":"message","body":{"custom":"x"}}}"#
    }

    /// A configuration with this content of `payload`.
    static func configuration(_ members: String) -> String {
        #"{"type":"unicast","device_tokens":"d-1","payload":{\#(members)}}"#
    }
}

func decode(_ body: String, _ interface: Interface = .message) throws(Refusal) -> PushRequest {
    try PushDecoder.decode(Array(body.utf8), for: interface, from: Samples.app)
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
