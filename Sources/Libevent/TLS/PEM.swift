internal import CLibevent

/// Certificates and keys as files hold them (RFC 7468).
enum PEM {
    /// The certificates in the text, in their order; whoever takes them frees them.
    /// - Throws: what `failure` makes of OpenSSL's reason, where one cannot be read.
    static func certificates(
        in text: [UInt8], failure: (String) -> TLSError
    ) throws(TLSError) -> [OpaquePointer] {
        guard let source = BIO_new_mem_buf(text, Int32(clamping: text.count)) else { throw .library(call: "BIO_new_mem_buf") }
        defer { BIO_free(source) }
        var found: [OpaquePointer] = []
        while let certificate = PEM_read_bio_X509(source, nil, noPassphrase, nil) { found.append(certificate) }
        // The end shows as a line that does not begin another one.
        let code = ERR_peek_last_error()
        let isEnd = code == 0 || (ps_error_library(code) == ERR_LIB_PEM && ps_error_reason(code) == PEM_R_NO_START_LINE)
        guard isEnd else {
            for certificate in found { X509_free(certificate) }
            throw failure(TLSFailure.takeReason())
        }
        ERR_clear_error()
        return found
    }

    /// The private key in the text; whoever takes it frees it.
    static func privateKey(in text: [UInt8]) throws(TLSError) -> OpaquePointer {
        guard let source = BIO_new_mem_buf(text, Int32(clamping: text.count)) else { throw .library(call: "BIO_new_mem_buf") }
        defer { BIO_free(source) }
        guard let key = PEM_read_bio_PrivateKey(source, nil, noPassphrase, nil) else {
            throw .key(reason: TLSFailure.takeReason())
        }
        return key
    }
}

/// OpenSSL would ask on the terminal.
private func noPassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 { -1 }
