internal import Base
internal import Libevent
internal import Logging
internal import Push

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
    /// One reading at a time: a slower one must not put what is older in the place of what is newer. Holds why the last one
    /// failed.
    private let reading = Locked<String?>(nil)
    /// Of the files before they were first read: what changes during a long start is seen.
    let stamps: [FileStamp?]

    /// `nil` where no listener has TLS.
    /// - Throws: `cannotWork`, naming the setting.
    init?(_ configuration: ServerConfiguration, log: Logger) throws(StartError) {
        let listeners = [("--https", configuration.https), ("--mqtts", configuration.mqtts), ("--admins", configuration.admins)]
        guard let (flag, _) = listeners.first(where: { $0.1 != nil }) else { return nil }
        settings = configuration.tls
        guard let certificate = settings.certificate, let key = settings.key else {
            throw .cannotWork(
                BilingualText("\(flag) 需要 --tls-cert 和 --tls-key", "\(flag) needs --tls-cert and --tls-key"))
        }
        (certificateFile, keyFile) = (certificate, key)
        stamps = settings.files(certificate, key).map { FileStamp($0) }
        self.log = log
        do throws(Unusable) {
            ticketKeys = try Self.using("") { () throws(TLSError) in try TLSTicketKeys() }
            let found = try Reading(settings, certificate, key, ticketKeys)
            http = TLSSource(found.http)
            mqtt = TLSSource(found.mqtt)
            if let keys = found.ticketKeys { ticketKeys.replace(with: keys) }
        } catch {
            throw .cannotWork(error.text)
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
    /// - Returns: whether what they say is in force now.
    @discardableResult
    func reload(because cause: String, now: Int64 = WallClock.milliseconds / 1_000) -> Bool {
        reading.withLock { failure in
            do throws(Unusable) {
                try readAgain(because: cause, now: now)
                failure = nil
                RareCounters.reloads.increment()
                return true
            } catch {
                RareCounters.failedReloads.increment()
                // Whoever tries again and again tells of a cause once.
                let line = "\(cause): \(error)"
                defer { failure = line }
                if failure != line {
                    log.error(
                        "TLS files cannot be used, the former ones remain in force",
                        metadata: ["cause": "\(error)", "read": "\(cause)"])
                }
                return false
            }
        }
    }

    private func readAgain(because cause: String, now: Int64) throws(Unusable) {
        let found = try Reading(settings, certificateFile, keyFile, ticketKeys)
        let expiry = found.http.certificate.expiry
        // Where both have expired the new one is no worse.
        guard expiry > now || expiry >= certificate.expiry else {
            throw Unusable(
                flag: "--tls-cert",
                reason: BilingualText(
                    "证书已于 \(UTCTime.rfc3339(expiry * 1_000)) 过期",
                    "the certificate expired at \(UTCTime.rfc3339(expiry * 1_000))"))
        }
        http.replace(with: found.http)
        mqtt.replace(with: found.mqtt)
        if let keys = found.ticketKeys { ticketKeys.replace(with: keys) }
        tellCertificate("TLS files read again", because: cause)
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
        let reason: BilingualText

        var text: BilingualText { flag.isEmpty ? reason : reason.after(flag) }
        /// The same for the log.
        var description: String { text.english }
    }

    /// All that the files say. Nothing of it is in force yet.
    private struct Reading {
        let http: TLSContext
        let mqtt: TLSContext
        let ticketKeys: TLSTicketKeys.File?

        init(_ settings: TLSSettings, _ certificate: String, _ key: String, _ keys: TLSTicketKeys) throws(Unusable) {
            var identity = TLSIdentity(
                certificates: try read(certificate, "--tls-cert"), key: try read(key, "--tls-key"))
            http = try using("TLS") { [identity] () throws(TLSError) in
                try TLSContext(identity, settings.policy, for: .http, ticketKeys: keys)
            }
            if let file = settings.clientAuthorities { identity.clientAuthorities = try read(file, "--tls-client-ca") }
            mqtt = try using("TLS") { [identity] () throws(TLSError) in
                try TLSContext(identity, settings.policy, for: .mqtt, ticketKeys: keys)
            }
            guard let file = settings.ticketKeys else {
                ticketKeys = nil
                return
            }
            let text = try read(file, "--tls-ticket-keys")
            ticketKeys = try using("--tls-ticket-keys") { () throws(TLSError) in try TLSTicketKeys.File(parsing: text) }
        }
    }

    private static func read(_ path: String, _ flag: String) throws(Unusable) -> [UInt8] {
        do throws(FileError) {
            return try File.read(path)
        } catch {
            throw Unusable(flag: flag, reason: error.text)
        }
    }

    private static func using<Made>(_ what: String, _ make: () throws(TLSError) -> Made) throws(Unusable) -> Made {
        do throws(TLSError) {
            return try make()
        } catch {
            throw Unusable(flag: flag(of: error) ?? what, reason: error.text)
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
        // The last are a client's.
        case .library, .authorities: nil
        }
    }
}

extension TLSSettings {
    /// All files that they name.
    fileprivate func files(_ certificate: String, _ key: String) -> [String] {
        [certificate, key] + [clientAuthorities, ticketKeys].compactMap(\.self)
    }
}
