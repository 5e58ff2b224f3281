import Push
import StoreCore
import Testing

/// What stands in data directories and databases: none of it may change its meaning.
@Suite("stored form")
struct StoredFormTests {
    @Test("a value's number is the one that it always had, and leads back to it")
    func numbers() {
        #expect(Platform.allCases.map(\.number) == [0, 1])
        #expect(Platform.allCases.allSatisfy { Platform(number: $0.number) == $0 })
        #expect(DisplayType.allCases.map(\.number) == [0, 1])
        #expect(DisplayType.allCases.allSatisfy { DisplayType(number: $0.number) == $0 })
        #expect(ReceiptEvent.allCases.map(\.number) == [1, 2, 3])
        #expect(RecipientState.rejectionNumber == 4)
        #expect(TaskReceipts.Mark.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
        for (interfaces, bits) in [([], 0), ([.message], 1), ([.configuration], 2), ([.message, .configuration], 3)]
            as [(Set<Interface>, Int64)]
        {
            #expect(interfaces.bits == bits)
            #expect(Set(bits: bits) == interfaces)
        }
    }

    @Test(
        "a target is a kind and a number",
        arguments: [
            (TargetKey.device(7), 0x0100_0000_0000_0007, TargetKey.Kind.device, 7),
            (.user(8), 0x0200_0000_0000_0008, .user, 8),
            (.organisation(.max), 0x0300_0000_FFFF_FFFF, .organisation, 0xFFFF_FFFF),
        ] as [(TargetKey, Int64, TargetKey.Kind, Int64)])
    func targets(key: TargetKey, raw: Int64, kind: TargetKey.Kind, id: Int64) {
        #expect(key.raw == raw)
        #expect(TargetKey(raw: raw) == key)
        #expect(key.kind == kind && key.id == id && key.shortID == UInt32(id))
    }

    @Test("a hash is the same in every run")
    func hashes() {
        #expect(StableHash.of("phone") == 4_416_513_887_128_722_051)
        #expect(StableHash.of("tablet") == -1_887_411_586_247_187_577)
    }

    @Test("a task's id leads back to its position, in the store that made it")
    func tasks() {
        let (numbers, others) = (TaskNumber(store: 0x7DF5_F2E3), TaskNumber(store: 1))
        let id = numbers.id(of: 0x0E)
        #expect(id == TaskID("7df5f2e300000000000e"))
        #expect(numbers.position(of: id) == 0x0E)
        #expect(others.position(of: id) == nil)
        #expect(numbers.position(of: TaskID("7df5f2e3000000000000")) == nil)
        #expect(numbers.position(of: TaskID("7DF5F2E300000000000E")) == nil)
        #expect(numbers.position(of: TaskID("7df5f2e30e")) == nil)
    }

    @Test("a store that went on from a copy gives new tasks another number, older tasks keep theirs")
    func stretches() {
        let numbers = TaskNumber([
            TaskNumber.Stretch(from: 0, store: 1), TaskNumber.Stretch(from: 10, store: 2), TaskNumber.Stretch(from: 20, store: 3),
        ])
        for (seq, store) in [(1, 1), (9, 1), (10, 2), (19, 2), (20, 3), (1_000, 3)] as [(UInt64, UInt32)] {
            let id = numbers.id(of: seq)
            #expect(id == TaskNumber(store: store).id(of: seq))
            #expect(numbers.position(of: id) == seq)
        }
        // What the store told before it went on from the copy is nobody's now.
        #expect(numbers.position(of: TaskNumber(store: 1).id(of: 10)) == nil)
        #expect(numbers.position(of: TaskNumber(store: 2).id(of: 20)) == nil)
        #expect(numbers.position(of: TaskNumber(store: 3).id(of: 19)) == nil)
    }

    @Test("a set of ordinals comes back from its bytes, and bytes that are none are refused")
    func sets() throws {
        let set = try #require(OrdinalSet())
        for member in [9, 3, 65_535] as [UInt16] { #expect(set.insert(member)) }
        #expect(!set.insert(9) && set.remove(3) && !set.remove(3))
        let read = try #require(OrdinalSet(serialized: set.serialized))
        #expect(read.members(from: 0, limit: 10) == [9, 65_535])
        #expect(read.members(from: 10, limit: 10) == [65_535])
        #expect(read.members(from: 0, limit: 1) == [9])
        #expect(read.contains(9) && !read.contains(3) && !read.isDirty)
        #expect(OrdinalSet(serialized: [1, 2, 3]) == nil)
    }
}
