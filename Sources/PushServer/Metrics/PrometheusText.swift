internal import Base

/// Metrics in the text format of Prometheus, version 0.0.4: one family of samples after the other.
///
/// ```swift
/// var text = PrometheusText()
/// text.family("psp_deliveries_total", .counter, "PUBLISH packets handed to connections.") { $0.sample(deliveries) }
/// ```
struct PrometheusText {
    /// What a family's samples mean.
    enum Kind: String {
        /// A count that only grows; its name ends in `_total`.
        case counter
        /// A number that goes up and down.
        case gauge
        /// Counts by size.
        case histogram
        /// A count and a sum.
        case summary
    }

    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(32 << 10) }

    /// Writes a family: all samples of one name.
    /// - Parameter help: one line, for people.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: (inout Samples) -> Void) {
        bytes.append(contentsOf: "# HELP \(name) ".utf8)
        appendEscaped(help, quotes: false)
        bytes.append(contentsOf: "\n# TYPE \(name) \(kind.rawValue)\n".utf8)
        var family = Samples(name: name, text: self)
        // Taken out and put back, so that nothing is copied.
        self.bytes = []
        samples(&family)
        self = family.text
    }

    /// The samples of one family.
    struct Samples {
        /// Names and values, as they stand between braces.
        typealias Labels = [(name: String, value: String)]

        fileprivate let name: String
        fileprivate var text: PrometheusText

        mutating func sample(_ value: UInt64, _ labels: Labels = []) { text.append(name, labels, "\(value)") }

        mutating func sample(_ value: Int, _ labels: Labels = []) { text.append(name, labels, "\(value)") }

        mutating func sample(_ value: Double, _ labels: Labels = []) {
            text.append(name, labels, PrometheusText.number(value))
        }

        /// Writes a histogram's classes, its sum and its count.
        /// - Parameter unit: how many of what was recorded make one of what is told: 1,000,000,000 where nanoseconds are told as
        ///   seconds.
        mutating func histogram(_ histogram: Histogram, per unit: Double, _ labels: Labels = []) {
            var count: UInt64 = 0
            for (bound, more) in zip(histogram.bounds, histogram.counts) {
                count += more
                text.append("\(name)_bucket", labels + [("le", PrometheusText.number(Double(bound) / unit))], "\(count)")
            }
            text.append("\(name)_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
            text.append("\(name)_sum", labels, PrometheusText.number(Double(histogram.sum) / unit))
            text.append("\(name)_count", labels, "\(histogram.count)")
        }

        /// Writes a summary without quantiles.
        mutating func summary(count: UInt64, sum: Double, _ labels: Labels = []) {
            text.append("\(name)_sum", labels, PrometheusText.number(sum))
            text.append("\(name)_count", labels, "\(count)")
        }
    }

    private mutating func append(_ name: String, _ labels: Samples.Labels, _ value: String) {
        bytes.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            for (index, label) in labels.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: "\(label.name)=\"".utf8)
                appendEscaped(label.value, quotes: true)
                bytes.append(UInt8(ascii: "\""))
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: value.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\"") where quotes: bytes.append(contentsOf: #"\""#.utf8)
            default: bytes.append(byte)
            }
        }
    }

    /// As Go reads it, without a fraction where there is none.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
