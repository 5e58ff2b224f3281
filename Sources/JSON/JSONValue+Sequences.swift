extension JSONValue {
    /// The members of an object, in the order of the text. A key that is given twice comes twice.
    public struct Members: Sequence, IteratorProtocol {
        private let document: JSONDocument
        private var upcoming: Int
        private let end: Int

        init(of value: JSONValue) {
            document = value.document
            upcoming = value.index + 1
            end = value.kind == .object ? Int(value.node.next) : upcoming
        }

        /// The next member, its key decoded.
        public mutating func next() -> (key: String, value: JSONValue)? {
            guard upcoming < end, let key = JSONValue(document: document, index: upcoming).string else { return nil }
            let value = JSONValue(document: document, index: upcoming + 1)
            upcoming = Int(value.node.next)
            return (key, value)
        }
    }

    /// The elements of an array, in the order of the text.
    public struct Elements: Sequence, IteratorProtocol {
        private let document: JSONDocument
        private var upcoming: Int
        private let end: Int

        init(of value: JSONValue) {
            document = value.document
            upcoming = value.index + 1
            end = value.kind == .array ? Int(value.node.next) : upcoming
        }

        /// The next element.
        public mutating func next() -> JSONValue? {
            guard upcoming < end else { return nil }
            let value = JSONValue(document: document, index: upcoming)
            upcoming = Int(value.node.next)
            return value
        }
    }
}
