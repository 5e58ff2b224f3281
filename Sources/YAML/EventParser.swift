internal import CYAML

/// Owns one `yaml_parser_t` and the bytes that it reads; turns its events into what a flat mapping is made of.
final class EventParser {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// - Throws: when libyaml cannot get memory.
    init(_ text: [UInt8]) throws(YAMLError) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw YAMLError(line: 1, problem: .syntax("out of memory"))
        }
        // libyaml keeps the pointer: the copy lives as long as the parser.
        input = .allocate(capacity: text.count)
        _ = input.initialize(from: text)
        self.parser = parser
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// What an event of libyaml means here.
    private enum Event {
        case begin
        case scalar(String, line: Int)
        case mapping
        case mappingEnd
        case documentEnd
        case end
        case other(line: Int)
    }

    private func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let line = event.start_mark.line + 1
        switch event.type {
        case YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT: return .begin
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(text, line: line)
        case YAML_MAPPING_START_EVENT: return .mapping
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_STREAM_END_EVENT: return .end
        default: return .other(line: line)
        }
    }

    private func failure() -> YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
        return YAMLError(line: parser.pointee.problem_mark.line + 1, problem: .syntax(problem))
    }

    /// The stream's and, where there is one, the document's start.
    func expectDocument() throws(YAMLError) {
        _ = try next()
    }

    /// Whether there is a mapping; `false` for an empty document.
    func beginsMapping() throws(YAMLError) -> Bool {
        switch try next() {
        case .end: return false
        case .begin: break
        default: throw YAMLError(line: 1, problem: .noMapping)
        }
        switch try next() {
        case .mapping: return true
        case .scalar("", _): return false
        case .scalar(_, let line), .other(let line): throw YAMLError(line: line, problem: .noMapping)
        default: throw YAMLError(line: 1, problem: .noMapping)
        }
    }

    /// The next key; `nil` at the mapping's end.
    func key() throws(YAMLError) -> (text: String, line: Int)? {
        switch try next() {
        case .scalar(let text, let line): return (text, line)
        case .mappingEnd: return nil
        case .other(let line): throw YAMLError(line: line, problem: .richName)
        default: throw YAMLError(line: currentLine, problem: .richName)
        }
    }

    func value(of key: String) throws(YAMLError) -> String {
        switch try next() {
        case .scalar(let text, _): return text
        default: throw YAMLError(line: currentLine, problem: .richValue(of: key))
        }
    }

    /// After the mapping: one document is all there may be.
    func expectEnd() throws(YAMLError) {
        guard case .documentEnd = try next(), case .end = try next() else {
            throw YAMLError(line: currentLine, problem: .secondDocument)
        }
    }

    private var currentLine: Int { parser.pointee.mark.line + 1 }
}
