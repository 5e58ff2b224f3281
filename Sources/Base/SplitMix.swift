/// A generator of numbers that nobody has to be unable to guess: session numbers, first packet identifiers, names of requests.
/// Seeded once by the system.
///
/// The system's generator costs a call to the system each time.
public struct SplitMix: RandomNumberGenerator {
    @usableFromInline var state: UInt64

    /// Begins where the system says.
    public init() { self.init(seed: .random(in: .min ... .max)) }

    /// The same numbers for the same seed.
    public init(seed: UInt64) { state = seed }

    /// The next number of Steele, Lea and Flood's SplitMix64.
    @inlinable
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
