internal import Push

/// What holds in a shared store after every commit, as a question for the rows for which it does not.
struct StoreRule {
    let table: String
    /// Rows that break it, as texts: the first says which row, the others stand for `%1`, `%2`… in the sentence.
    let sql: String
    let problem: BilingualText

    init(_ table: String, _ sql: String, _ chinese: String, _ english: String) {
        (self.table, self.sql) = (table, sql)
        problem = BilingualText(chinese, english)
    }

    /// An interval that still holds.
    private static let forever = "9223372036854775807"
    /// Tasks that were made later have not been forgotten: they are kept for a day at least.
    private static let recent =
        "(SELECT psp.first_position(greatest(psp.last_made(), psp.wall() + shift) - 86400000) FROM psp.clock)"

    static let all = numbers + directory + devices + tasks + people

    // MARK: What there is one of

    private static let numbers: [StoreRule] = [
        StoreRule(
            "meta",
            """
            SELECT 'key ' || k.key FROM unnest(ARRAY['configuration_version', 'biz_from', 'directory_version', 'ordinal',
              'holder', 'swept', 'sweep_place', 'keeping', 'folded']) AS k(key)
            WHERE NOT EXISTS (SELECT 1 FROM psp.meta m WHERE m.key = k.key)
            """, "缺少该数值", "there is no such number"),
        StoreRule(
            "meta",
            """
            SELECT 'key ' || m.key, m.value::text, x.most::text FROM psp.meta m JOIN (
              SELECT 'ordinal' AS key, max(ordinal) AS most FROM psp.device
              UNION ALL SELECT 'holder', max(holder) FROM psp.holder
              UNION ALL SELECT 'configuration_version', max(version) FROM psp.log WHERE kind = 1) x ON x.key = m.key
            WHERE m.value < x.most
            """, "为 %1，但已给出过 %2：新的会与之相同", "it is %1, but %2 was given already: a new one would be the same"),
        StoreRule(
            "meta",
            """
            SELECT 'key ' || key, value::text, psp.head()::text FROM psp.meta
            WHERE key = 'directory_version' AND value > (SELECT psp.head())
            """, "为 %1，而日志只到 %2", "it is %1, but the log ends at %2"),
        StoreRule(
            "clock", "SELECT 'clocks', count(*)::text FROM psp.clock HAVING count(*) <> 1", "应有 1 行，实际 %1 行",
            "there are %1 of them, not 1"),
        StoreRule(
            "clock",
            """
            SELECT 'shift ' || shift, lowest::text, highest::text FROM psp.clock
            WHERE shift NOT BETWEEN lowest AND highest OR 0 NOT BETWEEN lowest AND highest
            """, "不在 %1 与 %2 之间：按时间查找的任务会被漏掉", "it is not between %1 and %2: tasks that are looked up by time are missed"),
        StoreRule(
            "store_number",
            "SELECT 'position 0' WHERE NOT EXISTS (SELECT 1 FROM psp.store_number WHERE from_seq = 0)", "最早的任务没有编号前缀",
            "the first tasks have no number for their ids"),
        StoreRule(
            "store_number",
            "SELECT 'from ' || from_seq, store::text FROM psp.store_number WHERE store NOT BETWEEN 0 AND 4294967295",
            "%1 不是任务编号前缀", "%1 is no number for tasks' ids"),
        StoreRule(
            "log_part",
            """
            SELECT 'last', p.first::text FROM (SELECT max(first) AS first FROM psp.log_part) p
            WHERE p.first IS NULL OR to_regclass('psp.log_' || p.first) IS NULL
            """, "没有表 psp.log_%1", "there is no table psp.log_%1"),
    ]

    // MARK: Apps and organisations

    private static let directory: [StoreRule] = [
        StoreRule(
            "app", "SELECT 'app ' || app FROM psp.app WHERE NOT removed AND length(secret) = 0", "没有密钥，无法验证任何签名",
            "it has no secret, and no signature is right"),
        StoreRule(
            "app_rate",
            "SELECT 'app ' || r.app FROM psp.app_rate r WHERE NOT EXISTS (SELECT 1 FROM psp.app a WHERE a.app = r.app)",
            "没有该应用", "there is no such app"),
        StoreRule(
            "org",
            """
            SELECT 'org ' || o.org, o.path::text FROM psp.org o LEFT JOIN psp.org p ON p.org = o.parent
            WHERE NOT o.removed AND o.path IS DISTINCT FROM o.org || coalesce(p.path, '{}'::integer[])
            """, "路径 %1 不是其自身加上上级的路径", "its path %1 is not itself and its parent's path"),
        StoreRule(
            "org",
            """
            SELECT 'org ' || o.org, o.parent::text FROM psp.org o
            WHERE NOT o.removed AND o.parent IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM psp.org p WHERE p.org = o.parent AND NOT p.removed)
            """, "上级 %1 不存在", "its parent %1 does not exist"),
        StoreRule(
            "org",
            """
            SELECT 'org ' || o.org, concat_ws('/', o.android, o.ios, o.test_android, o.test_ios),
              concat_ws('/', s.android, s.ios, s.test_android, s.test_ios)
            FROM psp.org o CROSS JOIN LATERAL (
              SELECT coalesce(c.android, 0) AS android, coalesce(c.ios, 0) AS ios, coalesce(c.test_android, 0) AS test_android,
                coalesce(c.test_ios, 0) AS test_ios
              FROM (VALUES (1)) one LEFT JOIN (\(OrganisationSums.query)) c ON c.org = o.org) s
            WHERE (o.android, o.ios, o.test_android, o.test_ios) <> (s.android, s.ios, s.test_android, s.test_ios)
            """, "计有设备 %1（Android/iOS/测试 Android/测试 iOS），实际为 %2",
            "it counts %1 devices (Android/iOS/test Android/test iOS), and there are %2"),
        StoreRule(
            "org_parent",
            """
            SELECT 'org ' || o.org, count(p.org)::text FROM psp.org o
            LEFT JOIN psp.org_parent p ON p.org = o.org AND p.to_seq = \(forever) AND p.parent IS NOT DISTINCT FROM o.parent
            WHERE NOT o.removed GROUP BY o.org HAVING count(p.org) <> 1
            """, "应有 1 个说明其现有上级的区间，实际 %1 个", "1 interval should tell its parent as it is now, and %1 do"),
        StoreRule(
            "org_parent",
            """
            SELECT 'org ' || p.org || ' from ' || p.from_seq, p.to_seq::text FROM psp.org_parent p
            LEFT JOIN psp.org o ON o.org = p.org
            WHERE o.org IS NULL OR p.to_seq < p.from_seq OR o.removed AND p.to_seq = \(forever)
            """, "到 %1 为止的区间没有对应的组织机构", "the interval up to %1 is of no organisation"),
    ]

    // MARK: Devices

    private static let devices: [StoreRule] = [
        StoreRule(
            "device",
            """
            SELECT 'ordinal ' || d.ordinal, d.org::text FROM psp.device d LEFT JOIN psp.org o ON o.org = d.org
            WHERE o.org IS NULL OR o.removed AND d.retired_seq = \(forever)
            """, "组织机构 %1 不存在", "its organisation %1 does not exist"),
        StoreRule(
            "device",
            """
            SELECT 'ordinal ' || d.ordinal, d.holder::text FROM psp.device d
            WHERE d.holder IS NOT NULL AND NOT EXISTS (SELECT 1 FROM psp.holder h WHERE h.holder = d.holder)
            """, "使用人 %1 不存在", "its user %1 does not exist"),
        StoreRule(
            "device",
            """
            SELECT 'ordinal ' || min(d.ordinal), count(*)::text FROM psp.device d WHERE d.retired_seq = \(forever)
            GROUP BY d.token HAVING count(*) > 1
            """, "同一标识的设备有 %1 个", "%1 devices have its token"),
        StoreRule(
            "device",
            """
            SELECT 'ordinal ' || d.ordinal, d.created_seq::text, d.retired_seq::text FROM psp.device d
            WHERE d.retired_seq <= d.created_seq OR least(d.org_since, d.holder_since, d.test_since) < d.created_seq
              OR greatest(d.org_since, d.holder_since, d.test_since) > (SELECT psp.head())
              OR d.retired_seq <> \(forever) AND d.retired_seq > (SELECT psp.head())
            """, "从 %1 到 %2 的位置次序有误", "its positions from %1 to %2 are in no order"),
        StoreRule(
            "session",
            """
            SELECT 'ordinal ' || d.ordinal FROM psp.device d
            WHERE NOT EXISTS (SELECT 1 FROM psp.session s WHERE s.ordinal = d.ordinal)
            """, "设备没有接收进度，因此不能连接", "the device has none, so that it cannot connect"),
        StoreRule(
            "session",
            """
            SELECT 'ordinal ' || s.ordinal FROM psp.session s
            WHERE NOT EXISTS (SELECT 1 FROM psp.device d WHERE d.ordinal = s.ordinal)
            """, "没有该设备", "there is no such device"),
        StoreRule(
            "session",
            """
            SELECT 'ordinal ' || s.ordinal, s.cursor::text, psp.head()::text FROM psp.session s
            WHERE s.cursor > (SELECT psp.head())
            """, "接收进度 %1 超过日志末尾 %2：设备会漏收", "its cursor %1 is beyond the log's end %2: the device misses what comes"),
        StoreRule(
            "session",
            """
            SELECT 'ordinal ' || s.ordinal, b.position::text, s.cursor::text FROM psp.session s
            CROSS JOIN LATERAL (SELECT min(u.p) AS position FROM unnest(s.beyond) AS u(p)
              WHERE u.p IS NULL OR u.p <= s.cursor OR u.p > (SELECT psp.head())) b
            WHERE s.beyond IS NOT NULL AND b.position IS NOT NULL
            """, "确认的位置 %1 不在接收进度 %2 与日志末尾之间", "the acknowledged position %1 is not between its cursor %2 and the log's end"),
        StoreRule(
            "session",
            """
            SELECT 'ordinal ' || s.ordinal FROM psp.session s
            WHERE (s.session IS NULL) <> (s.node IS NULL) OR (s.successor IS NULL) <> (s.successor_node IS NULL)
            """, "连接没有节点，或节点没有连接", "it has a connection without a node, or a node without a connection"),
        StoreRule(
            "past_org",
            """
            SELECT 'ordinal ' || p.ordinal || ' from ' || p.from_seq, p.to_seq::text FROM psp.past_org p
            LEFT JOIN psp.device d ON d.ordinal = p.ordinal
            WHERE d.ordinal IS NULL OR p.to_seq <= p.from_seq OR p.to_seq > d.org_since
            """, "到 %1 为止的区间不是任何设备的过去", "the interval up to %1 is no device's past"),
        StoreRule(
            "past_test",
            """
            SELECT 'ordinal ' || p.ordinal || ' from ' || p.from_seq, p.to_seq::text FROM psp.past_test p
            LEFT JOIN psp.device d ON d.ordinal = p.ordinal
            WHERE d.ordinal IS NULL OR p.to_seq <= p.from_seq OR p.to_seq > d.test_since
            """, "到 %1 为止的区间不是任何设备的过去", "the interval up to %1 is no device's past"),
    ]

    // MARK: Tasks

    private static let tasks: [StoreRule] = [
        StoreRule(
            "log",
            """
            SELECT 'seq ' || l.seq, l.app::text FROM psp.log l
            WHERE l.kind <= 2 AND NOT EXISTS (SELECT 1 FROM psp.app a WHERE a.app = l.app)
            """, "应用 %1 不存在", "its app %1 does not exist"),
        StoreRule(
            "log",
            """
            SELECT 'seq ' || l.seq, l.target::text FROM psp.log l WHERE l.kind <= 2 AND NOT CASE l.target >> 56
              WHEN 1 THEN EXISTS (SELECT 1 FROM psp.device d WHERE d.ordinal = l.target & 72057594037927935)
              WHEN 2 THEN EXISTS (SELECT 1 FROM psp.holder h WHERE h.holder = l.target & 72057594037927935)
              WHEN 3 THEN EXISTS (SELECT 1 FROM psp.org o WHERE o.org = l.target & 72057594037927935)
              ELSE false END
            """, "目标 %1 不存在", "its target %1 does not exist"),
        StoreRule(
            "log",
            """
            SELECT 'seq ' || l.seq, l.status::text FROM psp.log l
            WHERE l.kind <= 1 AND (l.status NOT IN (0, 1, 2) OR (l.status = 0) <> (l.ended_at IS NULL))
            """, "结束状态 %1 与结束时间不符", "its end %1 and the time of that do not fit"),
        StoreRule(
            "log",
            """
            SELECT 'seq ' || l.seq FROM psp.log l WHERE l.kind <= 1 AND (
              l.payload IS NULL OR NOT coalesce(
                0 <= l.body_start AND l.body_start <= l.body_end AND l.body_end <= length(l.payload), false))
            """, "body 不在 payload 之内", "its body lies outside of its payload"),
        StoreRule(
            "log",
            """
            SELECT 'seq ' || l.seq, l.kind::text FROM psp.log l
            WHERE l.kind NOT BETWEEN 0 AND 14 OR l.kind <= 2 AND (l.kind = 2) <> (l.ref IS NOT NULL)
            """, "类型 %1 与引用不符", "its kind %1 and what it refers to do not fit"),
        StoreRule(
            "receipt",
            """
            SELECT DISTINCT 'seq ' || r.seq FROM psp.receipt r LEFT JOIN psp.log l ON l.seq = r.seq
            WHERE l.kind > 1 OR l.seq IS NULL AND r.seq >= \(recent)
            """, "没有该任务", "there is no such task"),
        StoreRule(
            "mark",
            """
            SELECT DISTINCT 'seq ' || m.seq FROM psp.mark m LEFT JOIN psp.log l ON l.seq = m.seq
            WHERE l.kind > 1 OR l.seq IS NULL AND m.seq >= \(recent)
            """, "没有该任务", "there is no such task"),
        StoreRule(
            "event",
            """
            SELECT DISTINCT 'seq ' || e.seq || ' ordinal ' || e.ordinal, e.event::text FROM psp.event e
            LEFT JOIN psp.log l ON l.seq = e.seq
            WHERE l.kind > 1 OR l.seq IS NULL AND e.seq >= \(recent) OR e.event NOT BETWEEN 1 AND 4
              OR l.seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM psp.device d WHERE d.ordinal = e.ordinal)
            """, "设备报告 %1 没有对应的任务或设备", "what a device has told (%1) is of no task, or of no device"),
        StoreRule(
            "current_config",
            """
            SELECT 'seq ' || k.seq FROM psp.current_config k LEFT JOIN psp.log l ON l.seq = k.seq
            WHERE l.kind IS DISTINCT FROM 1 OR l.status <> 0 OR l.app <> k.app OR coalesce(l.tag, '') <> k.tag
              OR (l.flags & 1 = 1) <> k.test OR l.target >> 56 <> k.target_kind OR l.within IS DISTINCT FROM k.within
              OR k.target IS DISTINCT FROM CASE k.target_kind
                WHEN 1 THEN (SELECT d.token FROM psp.device d WHERE d.ordinal = l.target & 72057594037927935)
                WHEN 2 THEN (SELECT h.user_id FROM psp.holder h WHERE h.holder = l.target & 72057594037927935)
                ELSE (SELECT o.org_id FROM psp.org o WHERE o.org = l.target & 72057594037927935) END
            """, "日志中没有这样一个未结束的配置", "the log has no such configuration that has not ended"),
        StoreRule(
            "current_config",
            """
            SELECT 'seq ' || max(seq), count(*)::text FROM psp.current_config
            GROUP BY target_kind, target, app, tag, test HAVING count(*) > 1
            """, "同一应用、目标、标签和模式有 %1 个当前配置", "its app, target, tag and mode have %1 current ones"),
        StoreRule(
            "current_config",
            """
            SELECT 'seq ' || l.seq FROM psp.log l
            WHERE l.kind = 1 AND l.status = 0 AND coalesce(l.expires > (SELECT max(r.created) FROM psp.log r), true)
              AND NOT EXISTS (SELECT 1 FROM psp.current_config k WHERE k.seq = l.seq)
            """, "该配置未结束，却不在当前配置之列：后来的设备得不到它",
            "it has not ended and is none of the current ones: who joins later does not get it"),
        StoreRule(
            "job",
            """
            SELECT 'number ' || j.number, j.kind::text, j.subject::text FROM psp.job j
            WHERE j.kind NOT BETWEEN 1 AND 8 OR j.position > (SELECT psp.head())
              OR j.kind IN (1, 2, 3, 8) AND NOT EXISTS (SELECT 1 FROM psp.org o WHERE o.org = j.subject)
              OR j.kind IN (4, 5, 6, 7) AND NOT EXISTS (SELECT 1 FROM psp.device d WHERE d.ordinal = j.subject)
              OR j.kind IN (2, 3, 5) AND NOT EXISTS (SELECT 1 FROM psp.log l WHERE l.seq = j.object AND l.kind = 1)
            """, "工作 %1 的对象 %2 或其配置不存在", "its work %1 is of no organisation or device %2, or of no configuration"),
    ]

    // MARK: Operators and imports

    private static let people: [StoreRule] = [
        StoreRule(
            "operator_session",
            """
            SELECT 'key ' || left(encode(s.key, 'hex'), 8), s.holder::text FROM psp.operator_session s
            WHERE NOT EXISTS (SELECT 1 FROM psp.operator o WHERE o.number = s.holder)
            """, "运维账号 %1 不存在", "its operator %1 does not exist"),
        StoreRule(
            "audit_ahead",
            """
            SELECT DISTINCT 'ahead ' || a.ahead FROM psp.audit a
            WHERE NOT EXISTS (SELECT 1 FROM psp.audit_ahead k WHERE k.ahead = a.ahead)
            """, "缺少它：按时间查找的审计记录会被漏掉", "it is missing: entries that are looked up by time are missed"),
        StoreRule(
            "import_part",
            """
            SELECT 'import ' || p.import FROM psp.import_part p
            WHERE NOT EXISTS (SELECT 1 FROM psp.import i WHERE i.import = p.import)
            """, "没有该导入，而其文本含有密钥", "there is no such import, and its text has secrets"),
        StoreRule(
            "import", "SELECT 'import ' || import FROM psp.import WHERE state NOT BETWEEN 0 AND 4 OR state = 1 AND place IS NULL",
            "没有次序，永远轮不到它", "it has no place among those that go on, and is never done"),
        StoreRule(
            "sequences",
            """
            SELECT s.name, s.most::text, q.last::text FROM (
              SELECT 'psp.app_app_seq' AS name, max(app)::bigint AS most FROM psp.app
              UNION ALL SELECT 'psp.operator_number_seq', max(number) FROM psp.operator
              UNION ALL SELECT 'psp.job_number_seq', max(number) FROM psp.job
              UNION ALL SELECT 'psp.import_import_seq', max(import) FROM psp.import
              UNION ALL SELECT 'psp.node_node_seq', max(node) FROM psp.node
              UNION ALL SELECT 'psp.audit_number', max(number) FROM psp.audit) s
            CROSS JOIN LATERAL (SELECT coalesce(pg_sequence_last_value(s.name::regclass), 0) AS last) q WHERE q.last < s.most
            """, "下一个编号在 %2 之后，但已给出过 %1", "its next number comes after %2, but %1 was given already"),
    ]
}
