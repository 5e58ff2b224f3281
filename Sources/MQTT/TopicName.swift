/// The syntax of topic names (MQTT 5.0 §4.7).
enum TopicName {
    enum Fault {
        case empty, wildcard
    }

    /// What is wrong with `name` as a topic name; nil if nothing is.
    static func fault(of name: String) -> Fault? {
        if name.isEmpty { return .empty }
        return name.utf8.contains { $0 == .plus || $0 == .hash } ? .wildcard : nil
    }
}
