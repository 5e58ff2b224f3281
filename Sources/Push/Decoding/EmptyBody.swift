internal import JSON

/// The body of a call that lists no field.
public enum EmptyBody {
    /// Takes an object without members.
    /// - Throws: 2101, 2103 for what is no object, 2104.
    public static func decode(_ body: [UInt8]) throws(Refusal) {
        guard let field = try JSONDocument.object(parsing: body).members.first(where: { _ in true }) else { return }
        let name = String(Excerpt.prefix(of: field.key, bytes: 128))
        throw Refusal(.unsupportedField, field: name, .listed([]))
    }
}
