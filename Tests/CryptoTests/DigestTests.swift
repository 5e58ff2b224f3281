import Base
import Crypto
import Testing

@Suite("digests")
struct DigestTests {
    @Test(
        "MD5 is that of RFC 1321 §A.5",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        ])
    func md5(text: String, digest: String) {
        #expect(Hex.encode(Digest.md5.hash(text)) == digest)
        #expect(Hex.encode(Digest.md5.hash(Array(text.utf8))) == digest)
    }

    @Test(
        "SHA-256 is that of FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, digest: String) {
        #expect(Hex.encode(Digest.sha256.hash(text)) == digest)
    }

    @Test("bytes that come in parts have the digest of the whole")
    func parts() {
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for size in [1, 63, 64, 9_999, 10_000] {
            let digest = RunningDigest(.sha256)
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { digest.append($0) }
            }
            #expect(digest.finish() == Digest.sha256.hash(bytes))
        }
        #expect(RunningDigest(.md5).finish() == Digest.md5.hash(""))
    }
}
