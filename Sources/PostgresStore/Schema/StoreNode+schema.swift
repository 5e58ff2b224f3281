internal import Base
internal import Postgres
internal import Push

extension StoreNode {
    /// Whether this program can work with the schema that the database has. Where it cannot it tells why, and what to do.
    func fitsSchema() async -> Bool {
        let outcome = await lane.call(PostgresCall(Statements.schema, deadline: options.patience))
        switch outcome {
        case .rows(let rows):
            let version = Schema.version
            guard let found = (try? rows.int8(0, 0)) ?? nil else {
                cannotServe(Self.noSchema, remedy: migration)
                return false
            }
            if found < version {
                cannotServe(
                    BilingualText(
                        "数据库表的版本为 \(found)，本程序需要 \(version)",
                        "the database's schema has version \(found), and this program needs \(version)"), remedy: migration)
            } else if found > version + 1 {
                cannotServe(
                    BilingualText(
                        "数据库表的版本为 \(found)，本程序只认识 \(version)",
                        "the database's schema has version \(found), and this program knows \(version)"),
                    remedy: BilingualText("请换用较新的 pspd", "use the newer program"))
            }
            judgeFunctions(of: Int(found), (try? rows.int8(0, 1)) ?? nil)
            return Schema.fits(Int(found))
        case .failed(let error) where [.undefinedSchema, .undefinedFunction].contains(error.state):
            cannotServe(Self.noSchema, remedy: migration)
        default: await tellUnreachable(outcome)
        }
        return false
    }

    /// How often it is looked whether another build has made the functions meanwhile, and what commits wait for, in nanoseconds.
    private static let examinationPause: Int64 = 10_000_000_000

    /// What commits wait for: as this role's would, whatever else is set for the database.
    private static let examination = PostgresStatement(
        """
        SELECT s.version, s.functions,
          current_setting('synchronous_standby_names') = '' OR current_setting('synchronous_commit') IN ('off', 'local')
        FROM psp.schema_1() s
        """)

    /// Looks now and then whether the database's functions are those of this build, and what its commits wait for: an operator
    /// who has named no standby, or none any more, is to know what a SUCCESS means. By the session for reading, so that a
    /// renewal of the lease neither waits for it nor loses its session by it.
    func examineDatabase() async {
        guard number != 0, MonotonicClock.nanoseconds >= nextExamination else { return }
        nextExamination = MonotonicClock.nanoseconds + Self.examinationPause
        let call = PostgresCall(Self.examination, deadline: .milliseconds(500))
        guard case .rows(let rows) = await reads.call(call), let version = (try? rows.int8(0, 0)) ?? nil else { return }
        judgeFunctions(of: Int(version), (try? rows.int8(0, 1)) ?? nil)
        guard let isAlone = (try? rows.bool(0, 2)) ?? nil else { return }
        let wasAlone = figures.standing.hasNoStandby ?? false
        if isAlone != wasAlone {
            options.log(
                isAlone
                    ? "commits wait for no standby: what is answered SUCCESS from now on is on one machine"
                    : "commits wait for a standby again")
        }
        figures.found(withoutStandby: isAlone)
    }

    /// Functions of another build of the same version are called as if they were the own ones, and may do something else. Those
    /// of the next version are made so that this program can call them.
    private func judgeFunctions(of version: Int, _ digest: Int64?) {
        let isForeign = version == Schema.version && digest != Schema.digest
        if isForeign, !figures.standing.hasForeignFunctions {
            options.log(
                "the database's functions are of another build than this program, though of the same version: pspctl store "
                    + "migrate, by the pspctl of this build")
        }
        figures.found(foreignFunctions: isForeign)
    }

    private static let noSchema = BilingualText("数据库中没有推送服务器的表", "the database has no schema")

    /// By the role that is to own what it makes.
    private var migration: BilingualText {
        let password = options.database.passwordFile.map { " --password-file '\($0)'" } ?? ""
        let command = "pspctl store migrate '\(options.database.address.pasteable)'\(password)"
        return BilingualText("请执行 \(command)", command)
    }
}

extension PostgresOutcome {
    /// Why nothing has come of a call, for a log.
    var reason: String { words.english }
}
