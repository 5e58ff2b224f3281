internal import StoreCore

/// How many devices are in each organisation and below it, as the devices themselves tell: what the table `org` has of it
/// changes with each device.
package enum OrganisationSums {
    /// Columns `org`, `android`, `ios`, `test_android`, `test_ios`; no row of an organisation without devices.
    package static let query = """
        SELECT above.org, sum(own.android) AS android, sum(own.ios) AS ios, sum(own.test_android) AS test_android,
          sum(own.test_ios) AS test_ios
        FROM (
          SELECT d.org, count(*) FILTER (WHERE d.platform = 0) AS android, count(*) FILTER (WHERE d.platform = 1) AS ios,
            count(*) FILTER (WHERE d.platform = 0 AND d.test) AS test_android,
            count(*) FILTER (WHERE d.platform = 1 AND d.test) AS test_ios
          FROM psp.device d WHERE d.retired_seq = \(MembershipHistory.forever) GROUP BY d.org) own
        JOIN psp.org c ON c.org = own.org CROSS JOIN LATERAL unnest(c.path) AS above(org) GROUP BY above.org
        """
}
