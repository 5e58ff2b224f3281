import JSON
import TestKit
import Testing

extension HTTPReply {
    /// The body, which must be JSON.
    func json() throws -> JSONValue { try JSONDocument(parsing: body).root }

    /// `data` of the envelope.
    func data() throws -> JSONValue { try #require(try json()["data"]) }

    var ret: String? { (try? json())?["ret"]?.string }
    var code: Int? { (try? data())?["error_code"]?.int64.map(Int.init) }
    var message: String? { (try? data())?["error_msg"]?.string }
    var field: String? { (try? data())?["field"]?.string }
}

/// The reply is a refusal with that code, status and field, in the envelope.
func expect(
    _ reply: HTTPReply, _ code: Int, status: Int, field: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(reply.code == code, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply.status == status, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply.field == field, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply.ret == "FAIL", sourceLocation: sourceLocation)
    #expect(reply.message?.isEmpty == false, sourceLocation: sourceLocation)
    #expect(reply.headers["content-type"] == "application/json; charset=utf-8", sourceLocation: sourceLocation)
}

/// The reply is a success with that status.
func expectSuccess(_ reply: HTTPReply, status: Int = 200, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(reply.status == status, "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply.ret == "SUCCESS", "\(reply.text)", sourceLocation: sourceLocation)
    #expect(reply.headers["content-type"] == "application/json; charset=utf-8", sourceLocation: sourceLocation)
}
