// What changes make of an app: the same in every store.

extension App {
    /// A new app. Whether its scope exists, the store says.
    /// - Throws: 2102 with all that is missing.
    public init(_ key: AppKey, _ fields: AppChange, secretIfNew: String?) throws(Refusal) {
        let (name, interfaces, secret) = try fields.required(secretIfNew: secretIfNew)
        self.init(
            key: key, name: name, masterSecret: secret, interfaces: interfaces, scope: fields.scope.value(after: nil),
            disabled: fields.disabled ?? false, hmacOnly: fields.hmacOnly ?? false,
            addresses: fields.addresses.value(after: nil) ?? [],
            quota: PushQuota(perSecond: fields.perSecond.value(after: nil), perDay: fields.perDay.value(after: nil)))
    }

    /// Sets the fields that are given. A secret that is set takes the place of all that were taken before.
    public mutating func apply(_ fields: AppChange) {
        if let name = fields.name { self.name = name }
        if let secret = fields.masterSecret {
            if secret != masterSecret { secretUse.master = nil }
            masterSecret = secret
            dropFormerSecret()
        }
        if let interfaces = fields.interfaces { self.interfaces = interfaces }
        if let disabled = fields.disabled { self.disabled = disabled }
        if let hmacOnly = fields.hmacOnly { self.hmacOnly = hmacOnly }
        addresses = fields.addresses.value(after: addresses) ?? []
        scope = fields.scope.value(after: scope)
        quota.perSecond = fields.perSecond.value(after: quota.perSecond)
        quota.perDay = fields.perDay.value(after: quota.perDay)
    }

    /// Another secret, beside which the one that it has is taken.
    /// - Parameter again: the secret of the last rotation reached nobody: it is replaced, and the one before stays.
    /// - Throws: 2208 where a former one is taken already.
    public mutating func rotateSecret(to secret: String, again: Bool) throws(Refusal) {
        if again, formerSecret != nil {
            (masterSecret, secretUse.master) = (secret, nil)
            return
        }
        guard formerSecret == nil else { throw Refusal(.formerSecretInUse, field: "former_secret") }
        (formerSecret, masterSecret) = (masterSecret, secret)
        secretUse = SecretUse(master: nil, former: secretUse.master)
    }

    /// Only the newer secret is taken.
    public mutating func dropFormerSecret() { (formerSecret, secretUse.former) = (nil, nil) }

    /// Notes the day on which one of its secrets was used.
    /// - Returns: whether that is news.
    public mutating func note(use secret: String, on day: Int64) -> Bool {
        let which: AppSecret
        switch secret {
        case masterSecret: which = .master
        case formerSecret: which = .former
        default: return false
        }
        guard secretUse.isNews(day, of: which) else { return false }
        secretUse[which] = day
        return true
    }
}
