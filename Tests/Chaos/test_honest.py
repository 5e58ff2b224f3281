"""The checker itself: honest histories pass, however odd."""

from chaos import history as events
from chaos.verdict import check
from story import Story


def passes(history):
    found = check(history)
    assert not found, "\n".join(map(str, found))


def test_everything_is_delivered():
    story = Story("phone", "tablet")
    one, two = story.connect("phone"), story.connect("tablet")
    first, second = story.push(), story.push("device", "phone")
    story.get(one, first, second)
    story.get(two, first)
    story.ping(one)
    story.ping(two)
    story.read(first, "completed", delivered=2)
    passes(story.end())


def test_what_was_not_acknowledged_comes_again_on_the_next_connection():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.frame(one, key)
    story.vanish(one)
    two = story.connect("phone")
    story.get(two, key)
    passes(story.end())


def test_who_reads_nothing_for_a_while_reads_what_was_sent_before_another_connection_had_it():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    two = story.connect("phone")
    story.get(two, key)
    story.ping(two)
    story.frame(one, key)
    story.tell(events.Closed(story.now(), one, "server"))
    passes(story.end())


def test_an_acknowledgement_that_a_crash_may_have_lost_is_asked_for_again():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.ping(one)
    story.kill()
    two = story.connect("phone")
    story.get(two, key)
    story.ping(two)
    passes(story.end())


def test_the_last_words_of_a_node_that_was_killed_prove_nothing():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.tell(events.Ping(story.now(), one))
    story.tell(events.Node(story.now(), "node", "killed"))
    story.tell(events.Pong(story.now(), one))
    story.tell(events.Closed(story.now(), one, "server"))
    story.tell(events.Node(story.now(), "node", "up"))
    story.get(story.connect("phone"), key)
    passes(story.end())


def test_a_crash_ends_a_connection_that_said_goodbye_or_was_to_be_taken_over():
    story = Story("phone", "tablet")
    one, two = story.connect("phone"), story.connect("tablet")
    key = story.push()
    story.get(one, key)
    story.get(two, key)
    story.tell(events.Bye(story.now(), one))
    story.tell(events.Arrived(story.now(), two))
    story.tell(events.Connect(story.now(), 9, "tablet", "other", 65535))
    story.kill()
    story.tell(events.Closed(story.now(), one, "server"))
    story.tell(events.Closed(story.now(), two, "server"))
    story.tell(events.Connack(story.now(), 9, 0))
    story.get(9, key)
    story.get(story.connect("phone"), key)
    passes(story.end())


def test_a_full_disk_before_a_crash_loses_older_acknowledgements():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.fault("begin", "full")
    story.get(one, key)
    story.ping(one)
    story.wait(20)
    story.fault("end", "full")
    story.kill()
    story.get(story.connect("phone"), key)
    passes(story.end())


def test_acknowledgements_that_a_full_disk_does_not_take_are_told_later():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.fault("begin", "full")
    story.get(one, key)
    story.ping(one)
    story.read(key, pending=1)
    story.fault("end", "full")
    passes(story.end())


def test_a_cancelled_task_may_arrive_when_it_was_on_its_way():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.cancel(key)
    story.get(one, key)
    story.ping(one)
    passes(story.end(**{key: ("cancelled", Story.counts(delivered=1))}))


def test_a_push_without_an_answer_may_be_delivered_or_not():
    story = Story("phone")
    one = story.connect("phone")
    stored, lost = story.push(outcome=None), story.push(outcome=None)
    story.list(stored)
    story.get(one, stored)
    story.ping(one)
    assert lost not in story.listed
    passes(story.end())


def test_a_repeat_by_out_biz_no_is_the_first_task():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push(outcome=None, biz="7")
    story.push(key=key, outcome=2302, biz="7")
    story.push(key=key, biz="7")
    story.get(one, key)
    other = story.push(biz="7", outcome=2109)
    assert other not in story.listed
    passes(story.end())


def test_a_device_that_moves_still_gets_what_was_pushed_before():
    story = Story("phone")
    story.org("away")
    key = story.push()
    story.device("phone", org="away")
    later = story.push()
    story.get(story.connect("phone"), key)
    passes(story.end(**{later: ("completed", Story.counts())}))


def test_a_device_that_moves_while_it_is_pushed_may_get_it():
    for gets in (False, True):
        story = Story("phone")
        story.org("away")
        one = story.connect("phone")
        begin, end = story.call()
        story.tell(
            events.Push(
                begin + 0.005, end + 0.005, "node", "k", "app", "msg", "org", "home", False, "", 50, None, None, 0, "task-k"
            )
        )
        story.tell(
            events.Change(begin, end, "device", "phone", {"platform": "android", "org": "away", "user": None, "test": False})
        )
        story.list("k")
        story.pushes["k"] = "task-k"
        if gets:
            story.get(one, "k")
        passes(story.end(k=("completed", Story.counts(delivered=int(gets)))))


def test_another_holder_gets_nothing_old_and_everything_new():
    story = Story()
    story.device("phone", user="ann")
    one = story.connect("phone")
    old = story.push()
    story.device("phone", user="bob")
    story.vanish(one)
    two = story.connect("phone")
    new = story.push()
    story.get(two, new)
    story.ping(two)
    passes(story.end(**{old: ("completed", Story.counts(withdrawn=1))}))


def test_a_large_payload_leaves_iphones_out():
    story = Story("phone")
    story.device("iphone", platform="ios")
    key = story.push(size=500)
    story.get(story.connect("phone"), key)
    passes(story.end(**{key: ("completed", Story.counts(delivered=1, skipped_oversize=1))}))


def test_a_device_that_joins_gets_the_current_configuration_again_each_time():
    story = Story("phone")
    story.org("away")
    conn = story.connect("phone")
    key = story.config()
    story.get(conn, key, version=5)
    message = story.push()
    story.get(conn, message)
    story.device("phone", org="away")
    story.device("phone")
    story.get(conn, key, version=5)
    story.ping(conn)
    passes(story.end(**{key: ("active", Story.counts(delivered=1))}))


def test_a_device_that_joins_while_the_configuration_is_on_its_way_may_get_it_once():
    story = Story("phone")
    story.org("away")
    conn = story.connect("phone")
    key = story.config()
    packet = story.frame(conn, key, version=5)
    story.device("phone", org="away")
    story.device("phone")
    story.ack(conn, packet)
    story.ping(conn)
    passes(story.end(**{key: ("active", Story.counts(delivered=1))}))


def test_only_the_newest_configuration_is_due():
    story = Story("phone")
    old, new = story.config(), story.config()
    story.get(story.connect("phone"), new, version=6)
    passes(story.end(**{old: ("superseded", Story.counts(superseded=1)), new: ("active", Story.counts(delivered=1))}))


def test_another_node_learns_of_an_acknowledgement_a_moment_later():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.push()
    story.get(conn, key)
    story.ping(conn)
    story.read(key, pending=1, node="other")
    story.wait(5)
    story.read(key, "completed", delivered=1, node="other")
    passes(story.end())


def test_what_is_rejected_is_settled_and_no_delivery():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.push()
    story.ack(conn, story.frame(conn, key), reason=0x83)
    passes(story.end(**{key: ("completed", Story.counts(targeted=1) | {"rejected": 1})}))


def test_a_slow_device_may_not_get_to_what_expires():
    story = Story("phone")
    conn = story.connect("phone", receive_maximum=1)
    story.wait(10)
    keys = [story.push() for _ in range(6)]
    late = story.push(lasts=10)
    for key in keys:
        story.get(conn, key)
        story.wait(2)
    story.ping(conn)
    passes(story.end(**{late: ("expired", Story.counts(expired=1))}))


def test_what_expires_while_its_device_is_away_is_expired():
    story = Story("phone")
    key = story.push(lasts=3)
    story.wait(10)
    story.connect("phone")
    passes(story.end(**{key: ("expired", Story.counts(expired=1))}))


def test_a_lifetime_is_converted_by_the_clock_at_acceptance():
    """The server's clock is an hour ahead, and so is the caller's wish: it has ten seconds, and gets it in the fifth."""
    story = Story("phone")
    conn = story.connect("phone")
    story.fault("begin", "clock", offset=3600.0)
    key = story.push(lasts=3610)
    story.fault("end", "clock")
    story.wait(5)
    story.get(conn, key)
    passes(story.end())


def test_a_lifetime_is_converted_by_the_databases_clock_at_acceptance():
    """It is an hour behind: what should be over in five seconds lasts an hour longer, on every node."""
    story = Story("phone", nodes=SHARED)
    story.fault("begin", "dbclock", node=None, offset=-3600.0)
    key = story.push(lasts=5)
    story.wait(1)
    story.fault("end", "dbclock", node=None)
    story.wait(30)
    story.get(story.connect("phone", node="other"), key)
    passes(story.end())


def test_a_push_that_was_made_twice_while_the_clock_was_an_hour_ahead_may_have_had_no_time():
    """The first attempt, which nobody answered, may have been taken by the clock that was ahead, and was then over at once."""
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone")
    story.wait(10)
    story.fault("begin", "dbclock", node=None, offset=3600.0)
    begin, end = story.call()
    wish = 1_000_000.0 + end + 20
    story.tell(events.Push(begin, end, "node", "k1", "app", "msg", "org", "home", False, "", 50, wish, "k1", None, None))
    story.fault("end", "dbclock", node=None)
    story.wait(1)
    key = story.push(key="k1", lasts=wish - 1_000_000.0 - story.now(), biz="k1")
    story.wait(40)
    story.ping(conn)
    passes(story.end(**{key: ("expired", Story.counts(expired=1))}))


def test_a_count_may_be_read_while_acknowledgements_arrive():
    story = Story("phone", "tablet")
    one, two = story.connect("phone"), story.connect("tablet")
    key = story.push()
    story.get(one, key)
    story.read(key, delivered=0, pending=2)
    story.read(key, delivered=1, pending=1)
    story.get(two, key)
    passes(story.end())


def test_both_holders_acknowledge_a_configuration_while_the_one_becomes_the_other():
    story = Story("phone", user="ann")
    conn = story.connect("phone")
    key = story.config("org", "home")
    packet = story.frame(conn, key, version=1)
    begin = story.now()
    story.ack(conn, packet)
    fields = {"platform": "android", "org": "home", "user": "bob", "test": False}
    story.tell(events.Change(begin, story.now(), "device", "phone", fields))
    story.get(story.connect("phone"), key, version=1)
    passes(story.end(**{key: ("active", Story.counts(delivered=2))}))


# Nodes that share a store

SHARED = ("node", "other")


def test_a_device_goes_from_node_to_node():
    story = Story("phone", nodes=SHARED)
    keys = [story.push(node=node) for node in SHARED for _ in range(2)]
    conns = [story.connect("phone", node=node) for node in SHARED]
    story.get(conns[0], keys[0])
    story.get(conns[1], *keys[1:])
    passes(story.end())


def test_the_first_connection_may_still_get_what_was_on_its_way():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    key = story.push()
    second = story.connect("phone", node="other")
    story.frame(first, key)
    story.get(second, key)
    passes(story.end())


def test_whoever_was_accepted_last_has_the_device():
    """The first's CONNECT may have been read after the second's."""
    story = Story("phone", nodes=SHARED)
    story.connections = 2
    story.tell(events.Connect(story.now(), 1, "phone", "node", 65535))
    story.tell(events.Connect(story.now(), 2, "phone", "other", 65535))
    story.tell(events.Connack(story.now(), 2, 0))
    story.tell(events.Connack(story.now(), 1, 0))
    story.ping(1)
    story.get(1, story.push())
    passes(story.end())


def test_acknowledgements_of_a_node_that_is_cut_off_are_asked_for_again():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    key = story.push()
    story.get(first, key)
    story.ping(first)
    story.fault("begin", "edge")
    story.wait(10)
    story.get(story.connect("phone", node="other"), key)
    story.fault("end", "edge")
    passes(story.end())


def test_what_a_node_has_read_while_the_database_was_away_may_be_asked_for_again():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    story.fault("begin", "freeze", node=None)
    key = story.push(node="other")
    story.get(first, key)
    story.ping(first)
    story.fault("end", "freeze", node=None)
    story.ping(first)
    story.get(story.connect("phone", node="other"), key)
    passes(story.end())


def test_what_a_node_has_read_whose_device_was_given_away_proves_nothing():
    """It was stopped; its facts are taken, and the other node knows nothing of them."""
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    keys = story.push(), story.push()
    packets = [story.frame(first, key) for key in keys]
    story.fault("begin", "stop")
    story.ack(first, packets[0])
    story.wait(10)
    second = story.connect("phone", receive_maximum=1, node="other")
    story.fault("end", "stop")
    story.wait(20)
    story.ping(first)
    story.get(second, *keys)
    passes(story.end())


def test_a_balancer_tells_of_no_node():
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone", node="balancer")
    story.route(conn, "node")
    key = story.push(node="balancer")
    story.get(conn, key)
    story.ping(conn)
    story.read(key, pending=1, node="balancer")
    story.fault("begin", "edge", node="other")
    story.wait(30)
    story.read(key, pending=1, node="balancer")
    story.fault("end", "edge", node="other")
    passes(story.end())


def test_a_node_that_cannot_write_says_so_when_it_ends():
    story = Story("phone", nodes=SHARED)
    story.fault("begin", "freeze", node=None)
    story.tell(events.Node(story.now(), "other", "unwritten"))
    story.fault("end", "freeze", node=None)
    passes(story.end())


def test_the_databases_clock_may_differ_by_what_is_no_step():
    story = Story("phone", nodes=SHARED)
    first = story.push(lasts=10)
    second = story.push()
    story.wait(8.5)
    story.get(story.connect("phone", node="other"), second)
    story.wait(5)
    passes(story.end(**{first: ("expired", Story.counts(expired=1))}))


def test_what_expires_while_the_database_changes_its_primary_is_expired():
    story = Story("phone", nodes=SHARED)
    story.connect("phone")
    story.wait(30)
    key = story.push(lasts=10)
    story.fault("begin", "failover", node=None)
    story.wait(10)
    story.fault("end", "failover", node=None)
    passes(story.end(**{key: ("expired", Story.counts(expired=1))}))


def test_what_expires_between_the_lists_of_two_nodes_may_be_over_in_the_second():
    story = Story("phone", nodes=SHARED)
    key = story.config("device", "phone", lasts=20)
    story.get(story.connect("phone"), key, version=1)
    story.wait(12).list_all("node", **{key: ("active", Story.counts(delivered=1))})
    story.wait(10)
    passes(story.end(node="other", **{key: ("completed", Story.counts(delivered=1))}))
