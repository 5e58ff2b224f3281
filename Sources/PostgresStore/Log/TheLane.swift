internal import Push

/// The order that all positions belong to.
let theLane = Lane(index: 0)

extension DeviceHandle {
    /// A device of the one lane.
    init(ordinal: UInt32) { self.init(lane: theLane, ordinal: ordinal) }
}
