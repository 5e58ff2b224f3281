import Foundation
import Libevent
import Logging
import Testing

@testable import PushServer

@Suite("Files of TLS that change")
struct CertificateWatchTests {
    /// Writes a certificate with its key, made by OpenSSL's own program, good for so many days from now.
    private func issue(in directory: TemporaryDirectory, days: Int) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=test", "-days", "\(days)"]
            + ["-keyout", "\(directory.path)/key", "-out", "\(directory.path)/certificate"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    private func makeTLS(in directory: TemporaryDirectory) throws -> ServerTLS {
        var configuration = ServerConfiguration()
        configuration.https = try SocketAddress(parsing: "127.0.0.1:0")
        configuration.tls.certificate = "\(directory.path)/certificate"
        configuration.tls.key = "\(directory.path)/key"
        return try #require(try ServerTLS(configuration, log: Logger(label: "test")))
    }

    private static let day: Int64 = 86_400
    private static var now: Int64 { Int64(Date.now.timeIntervalSince1970) }

    @Test("they are read when they have come to rest, and not before")
    func rest() throws {
        let directory = try TemporaryDirectory()
        try issue(in: directory, days: 100)
        let tls = try makeTLS(in: directory)
        let before = tls.certificate
        var watch = CertificateWatch(tls, log: Logger(label: "test"))
        try issue(in: directory, days: 200)
        watch.look(now: Self.now)
        #expect(tls.certificate == before)
        watch.look(now: Self.now)
        #expect(tls.certificate.expiry > before.expiry)
    }

    @Test("what cannot be used for a reason that passes is used when it has passed, though the files are the same")
    func triedAgain() throws {
        let directory = try TemporaryDirectory()
        try issue(in: directory, days: 100)
        let tls = try makeTLS(in: directory)
        let before = tls.certificate
        var watch = CertificateWatch(tls, log: Logger(label: "test"))
        try issue(in: directory, days: 50)
        // By a clock that is wrong for a while it has expired.
        for _ in 0..<3 { watch.look(now: Self.now + 60 * Self.day) }
        #expect(tls.certificate == before)
        watch.look(now: Self.now)
        #expect(tls.certificate.expiry < before.expiry)
    }
}
