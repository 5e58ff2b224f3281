internal import MQTT
internal import Push

/// What a dispatcher tells of a session that is traced.
enum TracePoint {
    case sent(TaskID, packetID: UInt16)
    case skipped(TaskID)
    case acknowledged(packetID: UInt16, ReasonCode)
    case windowFull(before: TaskID)
}
