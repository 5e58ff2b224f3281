import JSON
import Push

/// The body of a push.
enum PushTarget {
    private static let app = AppKey(unchecked: "app")

    static func attempt(_ input: Input) -> CInt {
        let interface: Interface = input.pieces.first.map { $0 % 2 } == 0 ? .message : .configuration
        let result = decode(input.bytes, interface)
        switch (result, decode(input.bytes, interface)) {
        case (.success(let request), .success(let again)):
            require(request.payload == again.payload && request.target == again.target, "another request the second time")
            requireSound(request)
        case (.failure(let refusal), .failure(let again)):
            require(refusal == again && refusal.detail == again.detail, "another refusal the second time")
            requireWords(of: refusal)
        default: fatalError("taken once, refused once")
        }
        return 0
    }

    private static func decode(_ body: [UInt8], _ interface: Interface) -> Result<PushRequest, Refusal> {
        Result { () throws(Refusal) in try PushDecoder.decode(body, for: interface, from: app) }
    }

    private static func requireSound(_ request: PushRequest) {
        let payload = request.payload
        require(payload.body.lowerBound >= 0 && payload.body.upperBound <= payload.bytes.count, "a body outside its payload")
        // What is stored, and what devices get, is JSON.
        for text in [payload.bytes, Array(payload.bytes[payload.body])] {
            require((try? JSONDocument(parsing: text)) != nil, "no JSON: \(String(decoding: text, as: UTF8.self))")
        }
        require(request.tag.map { (1...PushDecoder.longestTag).contains($0.text.utf8.count) } != false, "a tag's length")
        require((request.description?.utf8.count ?? 0) <= PushDecoder.longestDescription, "a description's length")
        require(request.idempotency.map { !$0.outBizNo.text.isEmpty && $0.fingerprint.count == 32 } != false, "an out_biz_no")
    }
}

/// A refusal says something in both languages, and no more than a line.
func requireWords(of refusal: Refusal) {
    for language in [Language.chinese, .english] {
        let message = refusal.message(in: language)
        require(!message.isEmpty && message.utf8.count < 4096, "a message of \(message.utf8.count) bytes")
        require(!message.unicodeScalars.contains { $0.value < 0x20 }, "a control character in \(message.debugDescription)")
    }
}
