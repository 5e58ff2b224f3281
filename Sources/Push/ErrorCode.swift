/// The error catalogue of the interface. The HTTP status of each belongs to the REST room.
public enum ErrorCode: Int, Hashable, Sendable, CaseIterable {
    case noAppKey = 2001
    case noTimestamp = 2002
    case noToken = 2003
    case unknownAppKey = 2004
    case wrongToken = 2005
    case badTimestamp = 2006
    case appDisabled = 2007
    case interfaceNotAllowed = 2008
    case targetOutsideScope = 2009
    case invalidJSON = 2101
    case missingField = 2102
    case invalidValue = 2103
    case unsupportedField = 2104
    case payloadTooLarge = 2105
    case requestTooLarge = 2106
    case noSuchAddress = 2107
    case methodNotAllowed = 2108
    case outBizNoReused = 2109
    case noSuchDevice = 2201
    case userHasNoDevice = 2202
    case noSuchOrganisation = 2203
    case noSuchTask = 2204
    case noTestDevice = 2205
    case noSuchApp = 2206
    case organisationInUse = 2207
    case rateLimited = 2301
    case unavailable = 2302
    case internalError = 2901
}
