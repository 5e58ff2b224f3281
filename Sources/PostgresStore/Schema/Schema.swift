internal import CPostgresSchema

/// The scripts of SQL that are built in: tables by steps, one a version, and the functions by which nodes read and write.
enum Schema {
    /// `steps[n]` brings version n to n + 1.
    static let steps: [String] = scripts(psp_schema_steps)
    /// All of them are made anew with each version; one that is called otherwise than before has another number, so that nodes of
    /// two versions live side by side.
    static let functions: [String] = scripts(psp_schema_functions)
    /// The version that this program was built for.
    static var version: Int { steps.count }

    private static func scripts(_ all: (UnsafeMutablePointer<Int>) -> UnsafePointer<psp_script>?) -> [String] {
        var count = 0
        let first = all(&count)
        return UnsafeBufferPointer(start: first, count: count).map { script in
            String(decoding: UnsafeBufferPointer(start: script.bytes, count: script.count), as: UTF8.self)
        }
    }
}
