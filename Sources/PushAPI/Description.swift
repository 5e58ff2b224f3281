internal import COpenAPI
internal import Web

/// The description of both REST interfaces for tools.
enum Description {
    /// `docs/openapi.yaml`.
    static let openAPI: [UInt8] = {
        var count = 0
        let start = openapi_document(&count)
        return Array(UnsafeBufferPointer(start: start, count: count))
    }()

    /// RFC 9512.
    static let contentType = ContentType("application/yaml")
}

extension APIFront {
    /// `GET /psp/openapi.yaml`: all of the document, whichever listener is asked.
    func description(_ request: Request<Self>) async throws -> Reply {
        _ = try request.query()
        return Reply(status: 200, contentType: Description.contentType, body: Description.openAPI)
    }
}
