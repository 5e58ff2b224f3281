/// Quality of service: how often a message may arrive (MQTT 5.0 §4.3).
public enum QoS: UInt8, Sendable, Hashable, Comparable {
    /// QoS 0: never answered.
    case atMostOnce = 0
    /// QoS 1: answered by PUBACK.
    case atLeastOnce = 1
    /// QoS 2: answered by PUBREC, PUBREL, PUBCOMP.
    case exactlyOnce = 2

    /// Orders by strength.
    public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}
