internal import Base
internal import Libevent
internal import Logging

/// The server's TLS: it reads the files, and has listeners begin connections with what they say. Connections that are there keep
/// what they began with, and files that cannot be used change nothing.
final class ServerTLS: Sendable {
    /// For callers and operators.
    let http: TLSSource
    /// For devices.
    let mqtt: TLSSource

    private let settings: TLSSettings
    private let certificateFile: String
    private let keyFile: String
    private let ticketKeys: TLSTicketKeys
    private let log: Logger
    /// One reading at a time: a slower one must not put what is older in the place of what is newer.
    private let reading = Locked(())
    /// Of the files before they were first read: what changes during a long start is seen.
    let stamps: [FileStamp?]

    /// `nil` where no listener has TLS.
    /// - Throws: `cannotWork`, naming the setting.
    init?(_ configuration: ServerConfiguration, log: Logger) throws(StartError) {
        let listeners = [("--https", configuration.https), ("--mqtts", configuration.mqtts), ("--admins", configuration.admins)]
        guard let (flag, _) = listeners.first(where: { $0.1 != nil }) else { return nil }
        settings = configuration.tls
        guard let certificate = settings.certificate, let key = settings.key else {
            throw .cannotWork("\(flag) needs --tls-cert and --tls-key")
        }
        (certificateFile, keyFile) = (certificate, key)
        stamps = settings.files(certificate, key).map { FileStamp($0) }
        self.log = log
        do throws(Unusable) {
            ticketKeys = try Self.using("") { () throws(TLSError) in try TLSTicketKeys() }
            let contexts = try Self.contexts(settings, certificate, key, ticketKeys)
            http = TLSSource(contexts.http)
            mqtt = TLSSource(contexts.mqtt)
        } catch {
            throw .cannotWork("\(error)")
        }
        tellCertificate("certificate")
    }

    /// The files that TLS comes from.
    var files: [String] { settings.files(certificateFile, keyFile) }

    /// The certificate that new connections are shown.
    var certificate: TLSCertificate { http.current.certificate }

    /// Whether tickets are sealed with keys of this process alone.
    var hasOwnTicketKeys: Bool { settings.ticketKeys == nil }

    /// Has tickets sealed with a new key.
    func renewTicketKeys() {
        do throws(TLSError) {
            try ticketKeys.renew()
        } catch {
            log.error("ticket keys are not renewed", metadata: ["cause": "\(error)"])
        }
    }

    /// Reads the files again. What cannot be used leaves everything as it was, and the log says so.
    func reload(because cause: String, now: Int64 = WallClock.milliseconds / 1_000) {
        reading.withLock { _ in readAgain(because: cause, now: now) }
    }

    private func readAgain(because cause: String, now: Int64) {
        do throws(Unusable) {
            let contexts = try Self.contexts(settings, certificateFile, keyFile, ticketKeys)
            let found = contexts.http.certificate
            // Where both have expired the new one is no worse.
            guard found.expiry > now || found.expiry >= certificate.expiry else {
                throw Unusable(flag: "--tls-cert", reason: "the certificate expired at \(UTCTime.rfc3339(found.expiry * 1_000))")
            }
            http.replace(with: contexts.http)
            mqtt.replace(with: contexts.mqtt)
            tellCertificate("TLS files read again", because: cause)
        } catch {
            log.error(
                "TLS files cannot be used, the former ones remain in force", metadata: ["cause": "\(error)", "read": "\(cause)"])
        }
    }

    private func tellCertificate(_ line: String, because cause: String? = nil) {
        var metadata: Logger.Metadata = [
            "sha256": "\(certificate.sha256)", "expires": "\(UTCTime.rfc3339(certificate.expiry * 1_000))",
        ]
        if let cause { metadata["read"] = "\(cause)" }
        log.info("\(line)", metadata: metadata)
    }

    // MARK: From files to contexts

    /// What of the settings cannot be used, and why.
    private struct Unusable: Error, CustomStringConvertible {
        let flag: String
        let reason: String

        var description: String { flag.isEmpty ? reason : "\(flag): \(reason)" }
    }

    /// The ticket keys last: by then nothing else can fail.
    private static func contexts(
        _ settings: TLSSettings, _ certificate: String, _ key: String, _ ticketKeys: TLSTicketKeys
    ) throws(Unusable) -> (http: TLSContext, mqtt: TLSContext) {
        var identity = TLSIdentity(
            certificates: try read(certificate, "--tls-cert"), key: try read(key, "--tls-key"))
        let http = try using("TLS") { () throws(TLSError) in
            try TLSContext(identity, settings.policy, for: .http, ticketKeys: ticketKeys)
        }
        if let file = settings.clientAuthorities { identity.clientAuthorities = try read(file, "--tls-client-ca") }
        let mqtt = try using("TLS") { () throws(TLSError) in
            try TLSContext(identity, settings.policy, for: .mqtt, ticketKeys: ticketKeys)
        }
        if let file = settings.ticketKeys {
            let text = try read(file, "--tls-ticket-keys")
            try using("--tls-ticket-keys") { () throws(TLSError) in try ticketKeys.replace(with: text) }
        }
        return (http, mqtt)
    }

    private static func read(_ path: String, _ flag: String) throws(Unusable) -> [UInt8] {
        do throws(FileError) {
            return try File.read(path)
        } catch {
            throw Unusable(flag: flag, reason: "\(error)")
        }
    }

    private static func using<Made>(_ what: String, _ make: () throws(TLSError) -> Made) throws(Unusable) -> Made {
        do throws(TLSError) {
            return try make()
        } catch {
            throw Unusable(flag: flag(of: error) ?? what, reason: "\(error)")
        }
    }

    private static func flag(of error: TLSError) -> String? {
        switch error {
        case .certificate: "--tls-cert"
        case .key, .mismatch: "--tls-key"
        case .policy(.ciphers, _): "--tls-ciphers"
        case .policy(.suites, _): "--tls-suites"
        case .policy(.groups, _): "--tls-groups"
        case .policy(.signatureAlgorithms, _): "--tls-sigalgs"
        case .clientAuthorities: "--tls-client-ca"
        case .ticketKeys: "--tls-ticket-keys"
        case .library: nil
        }
    }
}

extension TLSSettings {
    /// All files that they name.
    fileprivate func files(_ certificate: String, _ key: String) -> [String] {
        [certificate, key] + [clientAuthorities, ticketKeys].compactMap(\.self)
    }
}
