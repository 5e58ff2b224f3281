import JSON

/// What the server answered to a call that it carried out.
struct Reply {
    /// 200 done, 201 created, 202 updated.
    let status: Int
    /// The envelope's `data`.
    let data: JSONValue

    /// Opens the envelope.
    /// - Throws: `Failure.refused` with the row of the catalogue, `Failure.foreignReply` where there is no envelope.
    init(status: Int, body: [UInt8], from endpoint: Endpoint) throws(Failure) {
        let root: JSONValue
        do {
            root = try JSONDocument(parsing: body).root
        } catch {
            throw .foreignReply(endpoint: endpoint, status: status)
        }
        guard let outcome = root["ret"]?.string, let data = root["data"] else {
            throw .foreignReply(endpoint: endpoint, status: status)
        }
        guard outcome == "SUCCESS", (200..<300).contains(status) else {
            throw .refused(
                status: status, code: Int(data["error_code"]?.int64 ?? 0), text: data["error_msg"]?.string ?? "no reason given",
                field: data["field"]?.string)
        }
        self.status = status
        self.data = data
    }
}
