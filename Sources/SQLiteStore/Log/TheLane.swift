internal import Push

/// The embedded store has one lane.
let theLane = Lane(index: 0)

extension DeviceHandle {
    /// The device of that number.
    init(ordinal: UInt32) { self.init(lane: theLane, ordinal: ordinal) }
}
