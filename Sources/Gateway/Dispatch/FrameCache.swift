internal import MQTT
internal import Push

/// The PUBLISH packets of the last few rows, encoded once for each version and sent to many.
struct FrameCache {
    private struct Slot {
        let row: Row
        let version: ProtocolVersion
        let frame: PublishFrame
    }

    private static let capacity = 16
    private var slots: [Slot] = []
    private var next = 0

    /// The row's packet in that version.
    mutating func frame(of row: Row, _ version: ProtocolVersion) -> PublishFrame {
        for slot in slots where slot.row === row && slot.version == version { return slot.frame }
        let frame = PublishFrame(topic: DeviceTopics.name(of: row.topic), payload: row.payload, version: version)
        let slot = Slot(row: row, version: version, frame: frame)
        if slots.count < Self.capacity {
            slots.append(slot)
        } else {
            slots[next] = slot
            next = (next + 1) % Self.capacity
        }
        return frame
    }

    mutating func removeAll() { slots = [] }
}
