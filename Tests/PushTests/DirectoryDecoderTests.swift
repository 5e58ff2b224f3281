import Push
import Testing

@Suite("what an operator changes")
struct DirectoryDecoderTests {
    private func app(_ body: String) throws(Refusal) -> AppChange { try DirectoryDecoder.app(Array(body.utf8)) }
    private func organisation(_ body: String) throws(Refusal) -> OrganisationChange {
        try DirectoryDecoder.organisation(Array(body.utf8))
    }
    private func device(_ body: String) throws(Refusal) -> DeviceChange { try DirectoryDecoder.device(Array(body.utf8)) }
    private func line(_ body: String) throws(Refusal) -> DirectoryChange { try DirectoryDecoder.importLine(Array(body.utf8)) }

    @Test("every field of an app")
    func apps() throws {
        let change = try app(
            #"{"name":"警务","master_secret":" ~","interfaces":["config","msg","msg"],"org_id":"o","disabled":true}"#)
        #expect(change.name == "警务")
        #expect(change.masterSecret == " ~")
        #expect(change.interfaces == [.message, .configuration])
        #expect(change.scope == .set(OrgID(unchecked: "o")))
        #expect(change.disabled == true)
        #expect(try app("{}") == AppChange())
        #expect(try app(#"{"interfaces":[]}"#).interfaces == [])
    }

    @Test("every field of an organisation")
    func organisations() throws {
        let change = try organisation(#"{"name":"市局","parent_id":"p"}"#)
        #expect(change.name == "市局")
        #expect(change.parent == .set(OrgID(unchecked: "p")))
        #expect(try organisation("{}") == OrganisationChange())
    }

    @Test("every field of a device")
    func devices() throws {
        let change = try device(#"{"platform":"ios","org_id":"o","user_id":"u","test":true,"secret":"s"}"#)
        #expect(change.platform == .ios)
        #expect(change.organisation == OrgID(unchecked: "o"))
        #expect(change.user == .set(UserID(unchecked: "u")))
        #expect(change.test == true)
        #expect(change.secret == "s")
        #expect(try device(#"{"platform":"android"}"#).platform == .android)
        #expect(try device("{}") == DeviceChange())
    }

    @Test("null clears what is optional")
    func clearing() throws {
        #expect(try app(#"{"org_id":null,"disabled":null}"#).scope == .clear)
        #expect(try app(#"{"org_id":null,"disabled":null}"#).disabled == false)
        #expect(try organisation(#"{"parent_id":null}"#).parent == .clear)
        #expect(try device(#"{"user_id":null,"test":null}"#).user == .clear)
        #expect(try device(#"{"user_id":null,"test":null}"#).test == false)
    }

    @Test(
        "an app is refused",
        arguments: [
            ("", .invalidJSON, nil), ("{\"name\":\"\\ud800\"}", .invalidJSON, nil), ("[]", .invalidValue, nil),
            ("null", .invalidValue, nil),
            (#"{"appkey":"a"}"#, .unsupportedField, "appkey"), (#"{"kind":"app"}"#, .unsupportedField, "kind"),
            (#"{"id":"a","name":1}"#, .unsupportedField, "id"), (#"{"name":1}"#, .invalidValue, "name"),
            (#"{"name":null}"#, .invalidValue, "name"),
            (#"{"name":"a","name":"a"}"#, .invalidValue, "name"), (#"{"interfaces":null}"#, .invalidValue, "interfaces"),
            (#"{"interfaces":"msg"}"#, .invalidValue, "interfaces"), (#"{"interfaces":{}}"#, .invalidValue, "interfaces"),
            (#"{"interfaces":["msg","x"]}"#, .invalidValue, "interfaces"),
            (#"{"interfaces":[null]}"#, .invalidValue, "interfaces"),
            (#"{"master_secret":""}"#, .invalidValue, "master_secret"),
            (#"{"master_secret":null}"#, .invalidValue, "master_secret"),
            (#"{"master_secret":"密"}"#, .invalidValue, "master_secret"),
            (#"{"master_secret":"a\u007f"}"#, .invalidValue, "master_secret"),
            (#"{"master_secret":"a\n"}"#, .invalidValue, "master_secret"), (#"{"org_id":""}"#, .invalidValue, "org_id"),
            (#"{"org_id":7}"#, .invalidValue, "org_id"), (#"{"disabled":"true"}"#, .invalidValue, "disabled"),
            (#"{"disabled":0}"#, .invalidValue, "disabled"),
        ] as [(String, ErrorCode, String?)])
    func appRefused(body: String, code: ErrorCode, field: String?) {
        #expect(throws: Refusal(code, field: field)) { try app(body) }
    }

    @Test(
        "an organisation is refused",
        arguments: [
            ("x", .invalidJSON, nil), ("7", .invalidValue, nil), (#"{"org_id":"a"}"#, .unsupportedField, "org_id"),
            (#"{"devices":1}"#, .unsupportedField, "devices"), (#"{"name":null}"#, .invalidValue, "name"),
            (#"{"name":{}}"#, .invalidValue, "name"), (#"{"parent_id":"a b"}"#, .invalidValue, "parent_id"),
            (#"{"parent_id":false}"#, .invalidValue, "parent_id"),
            (#"{"parent_id":"a","parent_id":null}"#, .invalidValue, "parent_id"),
        ] as [(String, ErrorCode, String?)])
    func organisationRefused(body: String, code: ErrorCode, field: String?) {
        #expect(throws: Refusal(code, field: field)) { try organisation(body) }
    }

    @Test(
        "a device is refused",
        arguments: [
            ("{]", .invalidJSON, nil), ("\"a\"", .invalidValue, nil),
            (#"{"device_token":"a"}"#, .unsupportedField, "device_token"),
            (#"{"online":true}"#, .unsupportedField, "online"), (#"{"platform":"windows"}"#, .invalidValue, "platform"),
            (#"{"platform":"iOS"}"#, .invalidValue, "platform"), (#"{"platform":null}"#, .invalidValue, "platform"),
            (#"{"org_id":null}"#, .invalidValue, "org_id"), (#"{"org_id":"a/b"}"#, .invalidValue, "org_id"),
            (#"{"user_id":""}"#, .invalidValue, "user_id"), (#"{"user_id":1}"#, .invalidValue, "user_id"),
            (#"{"test":"false"}"#, .invalidValue, "test"), (#"{"secret":""}"#, .invalidValue, "secret"),
            (#"{"secret":null}"#, .invalidValue, "secret"), (#"{"secret":1}"#, .invalidValue, "secret"),
        ] as [(String, ErrorCode, String?)])
    func deviceRefused(body: String, code: ErrorCode, field: String?) {
        #expect(throws: Refusal(code, field: field)) { try device(body) }
    }

    @Test("a line of an import is a record of its kind, and brings its secret or has none")
    func lines() throws {
        var organisation = OrganisationChange()
        organisation.name = "n"
        #expect(try line(#"{"kind":"org","id":"o","name":"n"}"#) == .putOrganisation(OrgID(unchecked: "o"), organisation))
        var device = DeviceChange()
        device.platform = .ios
        device.user = .clear
        device.secret = "s"
        #expect(
            try line(#"{"id":"d","platform":"ios","user_id":null,"secret":"s","kind":"device"}"#)
                == .putDevice(DeviceToken(unchecked: "d"), device, secretIfNew: nil))
        var app = AppChange()
        app.interfaces = [.configuration]
        #expect(
            try line(#"{"kind":"app","id":"a","interfaces":["config"]}"#)
                == .putApp(AppKey(unchecked: "a"), app, secretIfNew: nil))
    }

    @Test(
        "a line of an import is refused",
        arguments: [
            ("", .invalidJSON, nil), ("[]", .invalidValue, nil), ("{}", .missingField, "kind"),
            (#"{"kind":"user"}"#, .invalidValue, "kind"),
            (#"{"kind":null,"x":1}"#, .invalidValue, "kind"), (#"{"kind":"org"}"#, .missingField, "id"),
            (#"{"kind":"org","platform":"ios"}"#, .unsupportedField, "platform"),
            (#"{"kind":"device","id":"d","name":"n"}"#, .unsupportedField, "name"),
            (#"{"kind":"app","id":"a","id":"a"}"#, .invalidValue, "id"),
            (#"{"kind":"app","kind":"org","id":"a"}"#, .invalidValue, "kind"),
            (#"{"kind":"app","id":null}"#, .invalidValue, "id"),
            (#"{"kind":"app","id":"a b"}"#, .invalidValue, "id"),
            (#"{"kind":"device","id":"d","test":1}"#, .invalidValue, "test"),
        ] as [(String, ErrorCode, String?)])
    func lineRefused(body: String, code: ErrorCode, field: String?) {
        #expect(throws: Refusal(code, field: field)) { try line(body) }
    }
}
