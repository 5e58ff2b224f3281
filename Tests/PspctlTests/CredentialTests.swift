import Testing

@testable import pspctl

@Suite("Who is calling")
struct CredentialTests {
    @Test("the token is the one of the callers' document, appkey and secret in lower case")
    func token() {
        let token = Credential.validationToken(
            key: "50E26C315270156DF0000031", masterSecret: "B3A09842D2C86177AA8268EE64F14F7E", timestamp: "1385321933302")
        let same = Credential.validationToken(
            key: "50e26c315270156df0000031", masterSecret: "b3a09842d2c86177aa8268ee64f14f7e", timestamp: "1385321933302")
        #expect(token == same)
        #expect(token == "a159e9f76ede3f18bf0a59495ad8bf97")
    }
}
