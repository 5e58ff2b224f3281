import Base
@preconcurrency import Glibc
import PushServer

@main
struct Program {
    static func main() {
        exit(Daemon.run(arguments: ProcessArguments.all, environment: environment()))
    }

    /// The process's environment. Read before any other thread exists, so nobody changes it meanwhile.
    private static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            let name = text.prefix { $0 != "=" }
            variables[String(name)] = String(text.dropFirst(name.count + 1))
            next += 1
        }
        return variables
    }
}
