import Base
import Push
import Testing

@Suite("Which questions and refusals are recorded")
struct AuditThrottleTests {
    private let ann = OperatorCall(
        .named(OperatorIdentity(OperatorNumber(1), OperatorName(unchecked: "ann")), Authority(.viewer, in: nil)), client: nil,
        requestID: "r")
    private let bob = OperatorCall(
        .named(OperatorIdentity(OperatorNumber(2), OperatorName(unchecked: "bob")), Authority(.sender, in: nil)), client: nil,
        requestID: "r")

    private func read(_ number: Int) -> AuditEntry { AuditEntry(ann, .deviceRead, AuditTarget(.device, "d\(number)")) }

    @Test("of each caller only so many in a minute, and its questions hide neither another's nor a change that was refused")
    func minute() {
        var throttle = AuditThrottle()
        let most = AuditThrottle.mostOfMinute
        let admitted = (0..<most + 7).filter { throttle.admit(read($0), at: 1) }
        #expect(admitted == Array(0..<most))
        let again = (0..<most).contains { throttle.admit(read($0), at: 1) }
        #expect(!again)
        let others = [
            AuditEntry(bob, .deviceRead, AuditTarget(.device, "d")), AuditEntry(ann, .taskCancel, task: TaskID("t"), code: 2011),
        ].map { throttle.admit($0, at: 1) }
        #expect(others == [true, true])
        let leftOut = [throttle.takeLeftOut(), throttle.takeLeftOut()]
        #expect(leftOut == [7, 0])
        var next = [throttle.admit(read(0), at: 2), throttle.admit(read(0), at: 2)]
        throttle.forget(read(0))
        next.append(throttle.admit(read(0), at: 2))
        #expect(next == [true, false, true] && !throttle.hasLeftOut)
    }

    @Test("of each caller only so many in a day")
    func day() {
        var throttle = AuditThrottle()
        var count = 0
        for minute in 0..<30 { count += (0..<500).count { throttle.admit(read($0), at: Int64(minute)) } }
        #expect(count == AuditThrottle.mostOfDay)
        let leftOut = throttle.takeLeftOut()
        #expect(leftOut == 30 * 500 - count)
        let isAdmitted = throttle.admit(read(0), at: 1_440)
        #expect(isAdmitted)
    }
}
