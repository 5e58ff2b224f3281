/// A rule of the standard that a packet can break: where it stands, the reason code of 5.0, and what it says.
///
/// The catalogue is in `Rule+catalogue.swift`.
public struct Rule: Error, Hashable, Sendable {
    /// Where 5.0 states it: a normative statement (`MQTT-3.1.2-3`), or a section (`§3.8.3.1`) where no statement has a number.
    /// A rule of 3.1.1 alone has that standard's.
    public let v5: String
    /// Where 3.1.1 states it; a rule of 5.0 alone has that standard's.
    public let v311: String
    /// What a 5.0 peer that breaks it is told: 0x81 where the packet cannot be parsed, 0x82 where what it says is not allowed,
    /// or what the standard prescribes.
    public let reasonCode: ReasonCode
    /// What the packet did, in a few words for a log.
    public let summary: String

    /// Where `version` states it; 5.0 if the version is not known.
    public func statement(in version: ProtocolVersion?) -> String { version == .v311 ? v311 : v5 }

    /// A rule whose breach makes the packet malformed.
    init(_ v5: String, v311: String? = nil, _ summary: String) {
        self.init(v5, v311: v311, .malformedPacket, summary)
    }

    init(_ v5: String, v311: String? = nil, _ reasonCode: ReasonCode, _ summary: String) {
        self.v5 = v5
        self.v311 = v311 ?? v5
        self.reasonCode = reasonCode
        self.summary = summary
    }
}
