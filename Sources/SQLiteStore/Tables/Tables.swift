/// The store's tables, as one connection sees them. A table knows its statements and how its rows read; what a row means,
/// deciders and readers know.
final class Tables {
    let database: Database
    let meta: MetaTable
    let storeNumbers: StoreNumberTable
    let apps: AppTable
    let organisations: OrganisationTable
    let users: UserTable
    let devices: DeviceTable
    let messages: MessageTable
    let indexes: IndexTable
    let configurations: ConfigurationTable
    let receipts: ReceiptTable
    let events: EventTable
    let totals: TotalTable
    let cursors: CursorTable
    let imports: ImportTable
    let followUps: FollowUpTable
    let clock: ClockTable
    let nonces: NonceTable
    let quotas: QuotaTable
    let audit: AuditTable
    let refusals: RefusalTable
    let operators: OperatorTable

    /// - Parameter stretches: by which times are read.
    init(_ database: Database, _ stretches: SharedStretches) {
        self.database = database
        meta = MetaTable(database)
        storeNumbers = StoreNumberTable(database)
        apps = AppTable(database)
        organisations = OrganisationTable(database)
        users = UserTable(database)
        devices = DeviceTable(database)
        messages = MessageTable(database, stretches)
        indexes = IndexTable(database)
        configurations = ConfigurationTable(database)
        receipts = ReceiptTable(database, stretches)
        events = EventTable(database)
        totals = TotalTable(database)
        cursors = CursorTable(database)
        imports = ImportTable(database)
        followUps = FollowUpTable(database)
        clock = ClockTable(database)
        nonces = NonceTable(database)
        quotas = QuotaTable(database)
        audit = AuditTable(database)
        refusals = RefusalTable(database)
        operators = OperatorTable(database)
    }
}
