extension PostgresServer {
    /// Makes an authority of its own and a certificate by it for 127.0.0.1, and has the server use them from its next start on.
    /// - Returns: the authority's file.
    public func useTLS() async throws -> String {
        let authority = try await makeAuthority("authority")
        let request = ["/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try await Command.run(
            request + [
                "-days", "2", "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-CA", authority, "-CAkey",
                "\(directory)/authority.key", "-keyout", "\(directory)/server.key", "-out", "\(directory)/server.crt",
            ])
        try set(["ssl": "on"])
        return authority
    }

    /// Makes an authority that has signed nothing.
    /// - Returns: its file.
    public func makeAuthority(_ name: String) async throws -> String {
        let file = "\(directory)/\(name).pem"
        try await Command.run([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=\(name)", "-keyout", "\(directory)/\(name).key", "-out", file,
        ])
        return file
    }
}
