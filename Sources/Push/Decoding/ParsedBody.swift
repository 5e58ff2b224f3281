internal import JSON

extension JSONDocument {
    /// Parses a body that has to be one object.
    /// - Throws: 2101 with the position; 2103 without a field where it is something else. What came is not repeated: whatever it
    ///   is, a secret may be in it.
    static func object(parsing body: [UInt8]) throws(Refusal) -> JSONValue {
        let root: JSONValue
        do {
            root = try JSONDocument(parsing: body).root
        } catch {
            let (fault, offset) = error.fault(in: body)
            throw Refusal(.invalidJSON, .malformedJSON(fault, Refusal.TextPosition(of: offset, in: body)))
        }
        guard root.kind == .object else { throw Refusal(.invalidValue, .expected(.object)) }
        return root
    }
}

extension JSONError {
    fileprivate func fault(in text: [UInt8]) -> (Refusal.JSONFault, offset: Int) {
        switch self {
        case .empty: (.empty, 0)
        case .tooLarge, .internalFailure: (.tooLarge, text.count)
        case .invalidUTF8(let offset): (.notUTF8, offset)
        case .unclosedString(let offset): (.unclosedString, offset)
        case .controlCharacter(let offset): (.controlCharacter, offset)
        case .syntax(let offset): (.syntax, offset)
        case .invalidNumber(let offset): (.number, offset)
        case .invalidEscape(let offset): (.escape, offset)
        case .loneSurrogate(let offset): (.loneSurrogate, offset)
        }
    }
}
