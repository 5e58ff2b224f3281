import Libevent

extension TLSDistrust {
    /// What is wrong, and what there is to do.
    var words: String {
        switch self {
        case .unknownAuthority:
            say(
                "no authority that is trusted has signed its certificate; name the one that has with --ca FILE",
                "其证书不是由受信任的机构签发的；请用 --ca FILE 指定签发机构")
        case .expired: say("its certificate has expired", "其证书已过期")
        case .notYetValid: say("its certificate is not valid yet; is this machine's clock right?", "其证书尚未生效；本机时钟是否正确？")
        case .wrongName:
            say(
                "its certificate is made out to another name; give the address by a name that stands in it",
                "其证书上的名称与此不符；请用证书中的名称作为地址")
        case .certificate(let reason): say("its certificate cannot be used (\(reason))", "其证书不可用（\(reason)）")
        case .failure(let reason): say("TLS failed (\(reason)); does it speak TLS there?", "TLS 失败（\(reason)）；该端口使用 TLS 吗？")
        }
    }
}
