public import Base
internal import JSON

/// The body of a call that begins a trace.
public enum TraceDecoder {
    /// What is to be traced, by its name.
    public enum Subject: Hashable, Sendable {
        /// A device.
        case device(DeviceToken)
        /// A user, and its devices.
        case user(UserID)
        /// An app.
        case app(AppKey)
        /// An address.
        case address(IPAddress)
    }

    private enum Field: String, FieldName {
        case device = "device_token"
        case user = "user_id"
        case app = "appkey"
        case address
        case minutes
    }

    /// How long it may go on.
    public static let longest: Int64 = 60
    private static let usual: Int64 = 10

    /// Decodes a body.
    /// - Throws: 2101; 2103 for what is no object; 2104, 2102, 2103.
    public static func decode(_ body: [UInt8]) throws(Refusal) -> (subject: Subject, minutes: Int64) {
        let fields = try RecordFields<Field>(try JSONDocument.object(parsing: body))
        let device = try fields.value(.device, .identifier) { $0.string.flatMap { DeviceToken($0) } }
        let user = try fields.value(.user, .identifier) { $0.string.flatMap { UserID($0) } }
        let app = try fields.value(.app, .identifier) { $0.string.flatMap { AppKey($0) } }
        let address = try fields.value(.address, .address) { $0.string.flatMap { IPAddress($0) } }
        // JSON has one kind of number: 10.0 is 10.
        let minutes = try fields.value(.minutes, .number(1...longest)) { value in
            value.double.flatMap { Int64(exactly: $0) }.flatMap { (1...longest).contains($0) ? $0 : nil }
        }
        let subjects =
            [device.map(Subject.device), user.map(Subject.user), app.map(Subject.app), address.map(Subject.address)]
            .compactMap(\.self)
        let names = [Field.device, .user, .app, .address].map(\.rawValue)
        guard let subject = subjects.first else {
            throw Refusal(.missingField, field: names[0], .missing([names.joined(separator: "/")]))
        }
        guard subjects.count == 1 else { throw Refusal(.invalidValue, .expected(.onlyOneOf(names))) }
        return (subject, minutes ?? usual)
    }
}
