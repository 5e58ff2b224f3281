import JSON

/// What the server answered to a call that it carried out.
struct Reply {
    /// 200 done, 201 created, 202 updated.
    let status: Int
    /// The envelope's `data`.
    let data: JSONValue

    /// What became of something that was put.
    func told(_ noun: String, _ name: String) -> String {
        status == 201
            ? say("created \(noun) \(name)", "已登记\(noun) \(name)") : say("updated \(noun) \(name)", "已修改\(noun) \(name)")
    }

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
                status: status, code: Int(data["error_code"]?.int64 ?? 0),
                text: data["error_msg"]?.string ?? say("no reason given", "没有给出原因"),
                field: data["field"]?.string)
        }
        self.status = status
        self.data = data
    }
}
