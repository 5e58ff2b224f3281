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

    /// Calls `body` with each member of an object, in the order of the text. `key` is the decoded key in UTF-8, valid inside the
    /// call only; `place` is where the value is, for ``value(at:)``. No string and no value is made unless `body` makes it.
    public func forEachMember(_ body: (_ key: UnsafeRawBufferPointer, _ place: Int) -> Void) {
        guard kind == .object else { return }
        let end = Int(node.next)
        var upcoming = index + 1
        let nodes = document.nodes
        document.bytes.withUnsafeBytes { bytes in
            while upcoming < end {
                let key = nodes[upcoming]
                if key.hasEscapes {
                    var text = JSONValue(document: document, index: upcoming).string ?? ""
                    text.withUTF8 { body(UnsafeRawBufferPointer($0), upcoming + 1) }
                } else {
                    body(UnsafeRawBufferPointer(rebasing: bytes[Int(key.start + 1)..<Int(key.end - 1)]), upcoming + 1)
                }
                upcoming = Int(nodes[upcoming + 1].next)
            }
        }
    }

    /// A value of the same document, by its place.
    public func value(at place: Int) -> JSONValue { JSONValue(document: document, index: place) }

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
