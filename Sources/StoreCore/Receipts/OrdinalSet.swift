internal import CRoaring

/// A set of ordinals' low halves, as one Roaring bitmap: a task's devices of one state, 65,536 ordinals at a time, so that an
/// acknowledgement rewrites at most 8 KiB.
package final class OrdinalSet {
    private let bitmap: UnsafeMutablePointer<roaring_bitmap_t>
    /// Changed since it was read or written.
    package var isDirty = false

    /// An empty set; `nil` where there is no memory.
    package init?() {
        guard let bitmap = roaring_bitmap_create_with_capacity(0) else { return nil }
        self.bitmap = bitmap
    }

    /// A set as it was stored; `nil` where the bytes are no bitmap.
    package init?(serialized bytes: [UInt8]) {
        let bitmap = bytes.withUnsafeBytes {
            roaring_bitmap_portable_deserialize_safe($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        guard let bitmap else { return nil }
        self.bitmap = bitmap
    }

    deinit { roaring_bitmap_free(bitmap) }

    package func contains(_ low: UInt16) -> Bool { roaring_bitmap_contains(bitmap, UInt32(low)) }

    /// - Returns: whether it was not there before.
    package func insert(_ low: UInt16) -> Bool {
        let inserted = roaring_bitmap_add_checked(bitmap, UInt32(low))
        if inserted { isDirty = true }
        return inserted
    }

    /// - Returns: whether it was there.
    package func remove(_ low: UInt16) -> Bool {
        let removed = roaring_bitmap_remove_checked(bitmap, UInt32(low))
        if removed { isDirty = true }
        return removed
    }

    /// Members greater than or equal to `low`, ascending, at most `limit`.
    package func members(from low: UInt32, limit: Int) -> [UInt16] {
        var iterator = roaring_uint32_iterator_t()
        roaring_init_iterator(bitmap, &iterator)
        guard roaring_move_uint32_iterator_equalorlarger(&iterator, low) else { return [] }
        var found: [UInt16] = []
        while iterator.has_value, found.count < limit {
            found.append(UInt16(truncatingIfNeeded: iterator.current_value))
            roaring_advance_uint32_iterator(&iterator)
        }
        return found
    }

    /// The greatest member; `nil` where there is none.
    package var last: UInt16? {
        roaring_bitmap_is_empty(bitmap) ? nil : UInt16(truncatingIfNeeded: roaring_bitmap_maximum(bitmap))
    }

    /// How many members it has.
    package var count: Int { Int(roaring_bitmap_get_cardinality(bitmap)) }

    /// Takes the members of another one too.
    package func formUnion(_ other: OrdinalSet) { roaring_bitmap_or_inplace(bitmap, other.bitmap) }

    /// Lets the members of another one go.
    package func subtract(_ other: OrdinalSet) { roaring_bitmap_andnot_inplace(bitmap, other.bitmap) }

    /// As it is stored: the portable format of Roaring bitmaps.
    package var serialized: [UInt8] {
        roaring_bitmap_run_optimize(bitmap)
        let size = roaring_bitmap_portable_size_in_bytes(bitmap)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            count = base.withMemoryRebound(to: CChar.self, capacity: size) { roaring_bitmap_portable_serialize(bitmap, $0) }
        }
    }
}
