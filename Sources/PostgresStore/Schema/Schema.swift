internal import CPostgresSchema
internal import Crypto

/// The scripts of SQL that are built in: tables by steps, one a version, and the functions by which nodes read and write.
enum Schema {
    /// `steps[n]` brings version n to n + 1.
    static let steps: [String] = scripts(psp_schema_steps)
    /// All of them are made anew with each version; one that is called otherwise than before has another number, so that nodes of
    /// two versions live side by side.
    static let functions: [String] = scripts(psp_schema_functions)
    /// The version that this program was built for.
    static var version: Int { steps.count }

    /// Whether this program can work with tables of that version: its own, and the next one, since the schema is brought to it
    /// before the first node is upgraded.
    static func fits(_ found: Int) -> Bool { version...version + 1 ~= found }

    /// Of the functions, as text. Two builds of one version may have different ones.
    static let digest = Digest.sha256.hash(functions.joined(separator: "\n")).prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }

    private static func scripts(_ all: (UnsafeMutablePointer<Int>) -> UnsafePointer<psp_script>?) -> [String] {
        var count = 0
        let first = all(&count)
        return UnsafeBufferPointer(start: first, count: count).map { script in
            String(decoding: UnsafeBufferPointer(start: script.bytes, count: script.count), as: UTF8.self)
        }
    }
}
