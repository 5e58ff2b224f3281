/// The cells of neighbouring ordinals. Writer only.
final class CursorPage {
    /// 12 bytes a cell in the file: the cursor, and seconds of Unix time. 336 of them fill a page of it.
    static let cells: UInt32 = 336
    private static let cellSize = 12

    struct Cell {
        var cursor: UInt64 = 0
        /// Seconds of Unix time; 0 if it never connected.
        var seen: UInt32 = 0
        /// Positions beyond the cursor are acknowledged. Not in the file, which has them in a table of their own.
        var hasBeyond = false
    }

    let number: UInt32
    /// Changed since it was read or written.
    var isDirty = false
    /// Memory of its own: an array in a class costs a check of exclusive access and of uniqueness at each acknowledgement.
    private let memory: UnsafeMutableBufferPointer<Cell>

    init(number: UInt32) {
        self.number = number
        memory = .allocate(capacity: Int(Self.cells))
        memory.initialize(repeating: Cell())
    }

    deinit { memory.deallocate() }

    /// The cell of an ordinal of this page.
    subscript(ordinal: UInt32) -> Cell {
        get { memory[Int(ordinal % Self.cells)] }
        _modify { yield &memory[Int(ordinal % Self.cells)] }
    }

    /// Takes what the file holds.
    func read(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { raw in
            for cell in 0..<min(memory.count, raw.count / Self.cellSize) {
                let offset = cell * Self.cellSize
                memory[cell].cursor = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                memory[cell].seen = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
            }
        }
    }

    /// As it stands in the file.
    var serialized: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: memory.count * Self.cellSize) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for cell in memory.indices {
                let offset = cell * Self.cellSize
                raw.storeBytes(of: memory[cell].cursor.littleEndian, toByteOffset: offset, as: UInt64.self)
                raw.storeBytes(of: memory[cell].seen.littleEndian, toByteOffset: offset + 8, as: UInt32.self)
            }
            count = memory.count * Self.cellSize
        }
    }
}
