internal import Base
internal import MQTT
internal import Push

/// The topics of the interface, and what a device may do with them.
enum DeviceTopics {
    static let receipt: ExactText = "psp/push/receipt"

    static func name(of topic: Topic) -> String {
        switch topic {
        case .message: "psp/push/msg"
        case .configuration: "psp/push/config"
        }
    }

    private static let messages = (v311: template(.message, .v311), v5: template(.message, .v5))
    private static let configurations = (v311: template(.configuration, .v311), v5: template(.configuration, .v5))

    private static func template(_ topic: Topic, _ version: ProtocolVersion) -> PublishTemplate {
        PublishTemplate(topic: name(of: topic), version: version)
    }

    /// What rows of that topic are sent by.
    static func template(of topic: Topic, _ version: ProtocolVersion) -> PublishTemplate {
        let templates = topic == .message ? messages : configurations
        return version == .v5 ? templates.v5 : templates.v311
    }

    /// The answer to one subscription: a filter that matches a topic to devices is granted, at QoS 1 at most, and changes
    /// nothing.
    static func reasonCode(for subscription: Subscription) -> ReasonCode {
        isGranted(subscription.filter) ? .granted(min(subscription.qos, .atLeastOnce)) : .notAuthorized
    }

    /// The answer to UNSUBSCRIBE, which changes nothing either.
    static func reasonCode(forUnsubscribing filter: TopicFilter) -> ReasonCode {
        isGranted(filter) ? .success : .noSubscriptionExisted
    }

    private static func isGranted(_ filter: TopicFilter) -> Bool {
        !filter.isShared && (filter.matches(name(of: .message)) || filter.matches(name(of: .configuration)))
    }
}
