/// What a request through a balancer has shown. Pure: figures in, findings out.
struct BalancerSight {
    /// The addresses of the balancer that this machine goes to.
    var balancer: Set<String>
    /// This machine's addresses.
    var own: Set<String>
    /// The status of `/readyz` through it.
    var readiness: Int
    /// From where the server thinks that the request came; `nil` where none came.
    var client: String?
    /// The id that was sent, and the one under which the server knows the request.
    var requestID: String
    var seenID: String?
    /// Whether the connection ends with each answer.
    var closes: Bool
    /// The status of a request with the largest body that a push may have, and whether the server gave it; `nil`: no answer.
    var largeBody: Int?
    var isLargeAnswered: Bool?
    /// What the server said to it.
    var largeMessage: String?
    /// How long the server keeps a connection on which nothing happens.
    var idleSeconds: Int?

    /// In the order in which an operator goes through them.
    var findings: [Diagnosis.Finding] {
        // Where it has no node to ask, nothing else shows.
        readiness == 503 ? [ready] : [ready, address, name, keepAlive, body, idle].compactMap(\.self)
    }

    private var ready: Diagnosis.Finding {
        Diagnosis.Finding(
            subject: "through the balancer", isGood: readiness == 200,
            text: readiness == 200
                ? say("/readyz is 200", "/readyz 为 200")
                : say(
                    "/readyz is \(readiness): it has no node that is ready, or does not pass the address on"
                        + (readiness == 503 ? "; what else it does is looked at when one is ready" : ""),
                    "/readyz 为 \(readiness)：没有就绪的节点，或没有转发该地址"
                        + (readiness == 503 ? "；其余各项待有就绪的节点后再检查" : "")))
    }

    private var address: Diagnosis.Finding {
        let (level, text) = addressWords
        return Diagnosis.Finding(subject: "client's address", level, text: text)
    }

    private var addressWords: (Diagnosis.Level, String) {
        guard let client else {
            return (
                .fault,
                say(
                    "no request came to this server: the balancer leads to another one, or drops the header appkey",
                    "没有请求到达这台服务器：负载均衡转到了别处，或丢弃了请求头 appkey")
            )
        }
        if client == BalancerProbe.forged {
            return (
                .fault,
                say(
                    "the server believes what a client says of itself (X-Forwarded-For, Forwarded): have the balancer append or "
                        + "replace that header, and name no clients in --forwarded-from (where pspctl runs on the "
                        + "balancer's machine, run it on another one: its own requests come from an address that is believed)",
                    "服务器采信了客户端自己写的 X-Forwarded-For 或 Forwarded：请让负载均衡追加或替换该请求头，并且不要把客户端写入 --forwarded-from（若 pspctl "
                        + "就在负载均衡的机器上运行，请换一台机器：它自己的请求来自受信任的地址）"
                )
            )
        }
        if own.contains(client) { return ownAddressWords(client) }
        let trust = say(
            "start pspd with --forwarded-from \(client) and have the balancer send X-Forwarded-For",
            "请用 --forwarded-from \(client) 启动 pspd，并让负载均衡发送 X-Forwarded-For")
        if balancer.contains(client) {
            return (.fault, say("the server sees \(client), the balancer: \(trust)", "服务器看到的是 \(client)，即负载均衡：\(trust)"))
        }
        return (
            .warning,
            say(
                "the server sees \(client), which is none of this machine's addresses. Look whose it is: if the balancer's, "
                    + "\(trust); if that of a NAT between here and the balancer, all is well",
                "服务器看到的是 \(client)，不是本机的地址。请查明它属于谁：属于负载均衡时，\(trust)；属于本机与负载均衡之间的 NAT 时，没有问题")
        )
    }

    private func ownAddressWords(_ client: String) -> (Diagnosis.Level, String) {
        guard !balancer.isDisjoint(with: own) else {
            return (.good, say("the server sees \(client), this machine", "服务器看到的是 \(client)，即本机"))
        }
        return (
            .warning,
            say(
                "the server sees \(client), which is this machine, and so is the balancer: run it once more on another machine, "
                    + "with --admin and a token, to be sure",
                "服务器看到的是 \(client)，即本机，而负载均衡也在本机：要确定，请在另一台机器上加 --admin 和令牌再运行一次")
        )
    }

    private var name: Diagnosis.Finding? {
        guard let seenID else { return nil }
        return Diagnosis.Finding(
            subject: "X-Request-Id", isGood: true,
            text: seenID == requestID
                ? say("passed on", "已转发")
                : say("the balancer gives its own, or drops it", "负载均衡换成了自己的，或丢弃了它"))
    }

    private var keepAlive: Diagnosis.Finding {
        Diagnosis.Finding(
            subject: "keep-alive", isGood: !closes,
            text: closes
                ? say(
                    "the balancer closes the connection after each answer: let callers keep theirs",
                    "负载均衡在每次应答后关闭连接：请允许调用方保持连接")
                : say("callers keep their connections", "调用方可以保持连接"))
    }

    private var body: Diagnosis.Finding {
        // Who refuses a body before it has come may close the connection, and its answer is lost by that.
        guard let largeBody, let isLargeAnswered else {
            return Diagnosis.Finding(
                subject: "largest body", isGood: false,
                text: say(
                    "a body of 64 KiB is not answered, and the connection is cut: raise the limit of the balancer",
                    "64 KiB 的请求体得不到应答，连接被切断，只接受更小请求体的负载均衡就会如此：请提高它的上限"))
        }
        return Diagnosis.Finding(
            subject: "largest body", isGood: isLargeAnswered,
            text: isLargeAnswered
                ? largeBody == 413 ? refusedWords : say("64 KiB pass", "64 KiB 可以通过")
                : say(
                    "the balancer itself answers a body of 64 KiB, with \(largeBody): raise its limit",
                    "64 KiB 的请求体由负载均衡自己应答，状态码 \(largeBody)：请提高它的上限"))
    }

    /// With --max-body a server may take less than is sent here, and says how much.
    private var refusedWords: String {
        let (english, chinese) = largeMessage.map { (": \($0)", "：\($0)") } ?? ("", "")
        return say("the server itself takes no 64 KiB\(english)", "服务器自己不接受 64 KiB\(chinese)")
    }

    /// From outside nobody sees how long a balancer keeps its connections to the server.
    private var idle: Diagnosis.Finding? {
        guard let idleSeconds else { return nil }
        return Diagnosis.Finding(
            subject: "idle time", isGood: true,
            text: say(
                "the server keeps a connection for \(idleSeconds) s; look whether the balancer lets go of its own before "
                    + "(HAProxy: pool-purge-delay, nginx: keepalive_timeout), which cannot be seen from here",
                "服务器把空闲连接保留 \(idleSeconds) 秒；请确认负载均衡更早关闭自己的连接（HAProxy：pool-purge-delay，nginx：keepalive_timeout），"
                    + "这从外部看不到"))
    }
}
