/// Metrics as Prometheus reads them: the text exposition format 0.0.4. Only what a page of ours needs of it.
struct Exposition {
    /// What a metric does over time.
    enum Kind: String {
        /// Only grows, from 0 at the process's start.
        case counter
        case gauge
    }

    private(set) var text = ""

    /// A metric without labels.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ value: UInt64) {
        head(kind, name, help)
        text += "\(name) \(value)\n"
    }

    /// The same for a number that is not whole.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, _ value: Double) {
        head(kind, name, help)
        text += "\(name) \(value)\n"
    }

    /// A metric with one label. Values of labels are ours: they need no escapes.
    mutating func add(_ kind: Kind, _ name: String, _ help: String, by label: String, _ values: [(String, UInt64)]) {
        head(kind, name, help)
        for (key, value) in values { text += "\(name){\(label)=\"\(key)\"} \(value)\n" }
    }

    private mutating func head(_ kind: Kind, _ name: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }
}
