/// The error catalogue of the interface: codes and texts, and nowhere else. The HTTP status of each belongs to the REST room.
public enum ErrorCode: Int, Hashable, Sendable, CaseIterable {
    /// No `appkey` header: the seed document's own code.
    case noAppKey = 2001
    /// No `timestamp` header.
    case noTimestamp = 2002
    /// No `validation-token` header.
    case noToken = 2003
    /// An appkey that is not registered, or given twice.
    case unknownAppKey = 2004
    /// The token does not match; also a missing or wrong bearer token, an operator's wrong password, or a device's wrong secret.
    case wrongToken = 2005
    /// The timestamp is malformed or outside the window.
    case badTimestamp = 2006
    /// The app is disabled.
    case appDisabled = 2007
    /// The app may not use this interface.
    case interfaceNotAllowed = 2008
    /// The target lies outside the app's organisation.
    case targetOutsideScope = 2009
    /// The app may not call from this address.
    case addressNotAllowed = 2010
    /// The operator's role or scope does not allow it.
    case notPermitted = 2011
    /// The body is not JSON, or not UTF-8.
    case invalidJSON = 2101
    /// A required field is missing.
    case missingField = 2102
    /// A value that is not allowed.
    case invalidValue = 2103
    /// A field or parameter that the interface does not list.
    case unsupportedField = 2104
    /// The payload is larger than the device's limit.
    case payloadTooLarge = 2105
    /// The request is larger than the server reads.
    case requestTooLarge = 2106
    /// No such address.
    case noSuchAddress = 2107
    /// The address does not take this method.
    case methodNotAllowed = 2108
    /// `out_biz_no` was used before with another interface or body.
    case outBizNoReused = 2109
    /// No such device.
    case noSuchDevice = 2201
    /// The user has no device.
    case userHasNoDevice = 2202
    /// No such organisation.
    case noSuchOrganisation = 2203
    /// No such task, or another app's.
    case noSuchTask = 2204
    /// No test device in the target.
    case noTestDevice = 2205
    /// No such app.
    case noSuchApp = 2206
    /// The organisation still has devices, children, or an app or an operator whose scope it is.
    case organisationInUse = 2207
    /// The app's secret was rotated, and the one before is still taken.
    case formerSecretInUse = 2208
    /// No such operator, or no such session of one.
    case noSuchOperator = 2209
    /// The app is over its rate limit.
    case rateLimited = 2301
    /// Overloaded, or the store cannot write: certainly not stored.
    case unavailable = 2302
    /// Whether the push was stored is unknown.
    case internalError = 2901

    /// The text that a person reads.
    public func text(in language: Language) -> String {
        texts.text(in: language)
    }

    private var texts: BilingualText {
        switch self {
        case .noAppKey: BilingualText("请求参数没有appkey", "the appkey header is missing")
        case .noTimestamp: BilingualText("请求参数没有 timestamp", "the timestamp header is missing")
        case .noToken:
            BilingualText(
                "请求参数没有 validation-token，也没有 authorization: PSP-HMAC-SHA256",
                "the validation-token header is missing, and so is authorization: PSP-HMAC-SHA256")
        case .unknownAppKey: BilingualText("appkey 不存在", "unknown appkey")
        case .wrongToken: BilingualText("密钥校验失败", "the token is wrong")
        case .badTimestamp: BilingualText("时间戳格式错误或已超出允许的时间范围", "the timestamp is malformed or too far from the server's time")
        case .appDisabled: BilingualText("该应用已被停用", "the app is disabled")
        case .interfaceNotAllowed: BilingualText("该应用无权使用此接口", "the app may not use this interface")
        case .targetOutsideScope: BilingualText("推送目标不在该应用所属的组织机构范围内", "the target is outside the app's organisation")
        case .addressNotAllowed: BilingualText("该应用不允许从此地址调用", "the app may not call from this address")
        case .notPermitted: BilingualText("该运维账号无权执行此操作", "the operator may not do this")
        case .invalidJSON: BilingualText("请求体不是有效的 JSON（UTF-8）", "the body is not valid JSON in UTF-8")
        case .missingField: BilingualText("缺少必填参数", "a required field is missing")
        case .invalidValue: BilingualText("参数值不合法", "a value is not allowed")
        case .unsupportedField: BilingualText("包含不支持的参数", "the request holds an unsupported field")
        case .payloadTooLarge: BilingualText("消息内容超过设备允许的大小", "the payload is larger than the device's limit")
        case .requestTooLarge: BilingualText("请求体或请求头过大", "the request's body or headers are too large")
        case .noSuchAddress: BilingualText("请求的地址不存在", "no such address")
        case .methodNotAllowed: BilingualText("请求的地址不支持该请求方法", "the address does not take this method")
        case .outBizNoReused: BilingualText("out_biz_no 已用于内容不同的请求", "out_biz_no was used before with another request")
        case .noSuchDevice: BilingualText("设备不存在", "no such device")
        case .userHasNoDevice: BilingualText("该使用人没有设备", "the user has no device")
        case .noSuchOrganisation: BilingualText("组织机构不存在", "no such organisation")
        case .noSuchTask: BilingualText("任务不存在", "no such task")
        case .noTestDevice: BilingualText("推送目标中没有测试设备", "the target has no test device")
        case .noSuchApp: BilingualText("应用不存在", "no such app")
        case .organisationInUse: BilingualText("该组织机构仍有设备、下级机构或应用", "the organisation still has devices, children or an app")
        case .formerSecretInUse:
            BilingualText(
                "密钥已更换过，而前一个密钥仍然有效：新密钥没有送达时用 again 重新生成；全部调用方都已换用后，再删除前一个密钥",
                "the secret was rotated, and the former one is still taken: make another with again, where the new one reached "
                    + "nobody; remove the former one when every caller has changed")
        case .noSuchOperator: BilingualText("运维账号或其会话不存在", "no such operator, or no such session")
        case .rateLimited: BilingualText("请求过于频繁，请稍后重试", "the app is over its rate limit; try again later")
        case .unavailable:
            BilingualText("服务目前不能受理请求，请求未被存储，请稍后重试", "the service cannot take the request now and has not stored it")
        case .internalError:
            BilingualText(
                "内部错误，是否已生效未知；推送请用相同的 out_biz_no 重发，其他调用请先查询是否已生效",
                "internal error: whether it was done is unknown; repeat a push with the same out_biz_no, and look before "
                    + "repeating any other call")
        }
    }
}
