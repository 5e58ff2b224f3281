internal import JSON

/// What a device tells on `psp/push/receipt`: that a task was opened, applied, or failed.
public struct DeviceReceipt: Hashable, Sendable {
    /// The largest `detail`, in bytes of UTF-8.
    public static let longestDetail = 256

    /// Which task; whether it addressed the device is the store's to know.
    public let task: TaskID
    /// What happened.
    public let event: ReceiptEvent
    /// The device's own words.
    public let detail: String?

    /// Why a receipt was not read: it goes into the log, not to the device.
    public enum Malformed: Error, Hashable, Sendable {
        /// Not a JSON object.
        case notAnObject
        /// A field that is not listed, is given twice, is missing or has a value that is not allowed.
        case field(String)
    }

    private enum Field: String, FieldName {
        case task = "task_id"
        case event
        case detail
    }

    /// Reads `{"task_id","event","detail"?}`, and nothing else.
    public init(decoding bytes: [UInt8]) throws(Malformed) {
        let root: JSONValue
        do {
            root = try JSONDocument(parsing: bytes).root
        } catch {
            throw .notAnObject
        }
        guard root.kind == .object else { throw .notAnObject }
        var faults = FieldFaults()
        let fields = ObjectFields<Field>(root, faults: &faults)
        if let field = faults.unsupported?.path ?? faults.repeated { throw .field(field) }
        guard let task = fields[.task]?.string else { throw .field("task_id") }
        guard let event = fields[.event]?.string.flatMap(ReceiptEvent.init) else { throw .field("event") }
        let detail = fields[.detail]?.string
        guard (detail != nil) == (fields[.detail] != nil), detail?.utf8.count ?? 0 <= DeviceReceipt.longestDetail else {
            throw .field("detail")
        }
        self.task = TaskID(task)
        self.event = event
        self.detail = detail
    }
}
