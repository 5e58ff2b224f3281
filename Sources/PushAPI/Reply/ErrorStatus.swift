internal import Push

extension ErrorCode {
    /// The HTTP status of each row of the catalogue: the only place where one becomes the other.
    ///
    /// 2001 to 2003 are 500, since the callers' own document says so: they are the caller's fault nevertheless.
    var status: Int {
        switch self {
        case .noAppKey, .noTimestamp, .noToken: 500
        case .unknownAppKey, .wrongToken, .badTimestamp: 401
        case .appDisabled, .interfaceNotAllowed, .targetOutsideScope, .addressNotAllowed, .notPermitted: 403
        case .invalidJSON, .missingField, .invalidValue, .unsupportedField, .payloadTooLarge: 400
        case .requestTooLarge: 413
        case .noSuchAddress: 400
        case .methodNotAllowed: 405
        case .outBizNoReused: 400
        case .noSuchDevice, .userHasNoDevice, .noSuchOrganisation, .noSuchTask, .noTestDevice: 404
        case .noSuchApp, .noSuchOperator: 404
        case .organisationInUse, .formerSecretInUse: 409
        case .rateLimited: 429
        case .unavailable: 503
        case .internalError: 500
        }
    }
}
