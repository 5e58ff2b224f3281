"""The checker itself: each rule is broken by forged histories, and found, with the push and the device."""

import pytest

from chaos import history as events
from chaos.verdict import RULES, check
from story import Story

FORGED = {}


def forged(rule, task=None, device=None):
    """A story that breaks just this rule, and where."""

    def keep(function):
        FORGED.setdefault(rule, []).append(pytest.param(function, rule, task, device, id=function.__name__))
        return function

    return keep


@forged("lost", "k1", "phone")
def lost():
    story = Story("phone")
    key = story.push()
    story.connect("phone")
    return story.end(**{key: ("active", Story.counts(expired=1))})


@forged("lost", "k1")
def not_listed():
    story = Story("phone")
    story.push(listed=False)
    return story.end()


@forged("lost", "k1", "phone")
def received_but_never_acknowledged():
    story = Story("phone")
    key = story.push()
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("active", Story.counts(expired=1))})


@forged("lost", "k1", "phone")
def forgotten_after_a_move():
    story = Story("phone")
    story.org("away")
    key = story.push()
    story.device("phone", org="away")
    story.connect("phone")
    return story.end(**{key: ("active", Story.counts(expired=1))})


@forged("lost", "k1", "phone")
def forgotten_by_a_crash():
    story = Story("phone")
    key = story.push()
    story.kill()
    story.connect("phone")
    return story.end(**{key: ("active", Story.counts(expired=1))})


@forged("lost", "k1", "phone")
def current_configuration_lost():
    story = Story("phone")
    key = story.config()
    return story.end(**{key: ("active", Story.counts(expired=1))})


@forged("late", "k1", "phone")
def expired_although_the_device_was_there():
    story = Story("phone")
    conn = story.connect("phone")
    story.wait(10)
    key = story.push(lasts=10)
    story.wait(20)
    story.ping(conn)
    return story.end(**{key: ("expired", Story.counts(expired=1))})


@forged("late", "k1", "phone")
def expired_by_a_clock_that_was_ahead():
    story = Story("phone")
    story.connect("phone")
    story.wait(10)
    key = story.push(lasts=10)
    story.fault("begin", "clock", offset=3600.0)
    story.wait(1)
    story.fault("end", "clock")
    story.wait(20)
    return story.end(**{key: ("expired", Story.counts(expired=1))})


@forged("stranger", "k1", "tablet")
def somebody_elses():
    story = Story("phone", "tablet")
    key = story.push("device", "phone")
    story.get(story.connect("phone"), key)
    story.frame(story.connect("tablet"), key)
    return story.end()


@forged("stranger", "k1", "phone")
def pushed_after_the_device_had_moved():
    story = Story("phone")
    story.org("away")
    story.device("phone", org="away")
    key = story.push()
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts())})


@forged("stranger", "k1", "iphone")
def too_large_for_an_iphone():
    story = Story()
    story.device("iphone", platform="ios")
    key = story.push(size=500)
    story.frame(story.connect("iphone"), key)
    return story.end(**{key: ("completed", Story.counts(skipped_oversize=1))})


@forged("stranger", "k1", "phone")
def in_test_mode_to_a_device_that_is_none():
    story = Story("phone")
    key = story.push(test=True)
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts())})


@forged("refused", "k1", "phone")
def refused_and_delivered():
    story = Story("phone")
    key = story.push(outcome=2302)
    story.frame(story.connect("phone"), key)
    return story.end()


@forged("refused", "k1")
def refused_and_listed():
    story = Story("phone")
    key = story.push(outcome=2302)
    story.list(key)
    return story.end(**{key: ("active", Story.counts())})


@forged("twice", "k1", "phone")
def unknown_and_delivered_twice():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.push(outcome=None)
    story.list(key)
    story.get(conn, key)
    story.vanish(conn)
    story.get(story.connect("phone"), key, task="another")
    return story.end()


@forged("twice", "k1")
def two_tasks_of_one_push():
    story = Story("phone")
    key = story.push(biz="7")
    story.push(key=key, biz="7", task="another")
    story.get(story.connect("phone"), key)
    return story.end()


@forged("out_biz_no", "k2")
def one_number_for_two_pushes():
    story = Story("phone")
    story.push(biz="7")
    story.push(biz="7")
    story.get(story.connect("phone"), "k1", "k2")
    return story.end()


@forged("content", "k1", "phone")
def altered():
    story = Story("phone")
    story.get(story.connect("phone"), story.push(), sound=False)
    return story.end()


@forged("content", None, "phone")
def pushed_by_nobody():
    story = Story("phone")
    story.frame(story.connect("phone"), "ghost")
    return story.end()


@forged("order", "k1", "phone")
def out_of_order():
    story = Story("phone")
    conn = story.connect("phone")
    first, second = story.push(), story.push()
    story.get(conn, second, first)
    return story.end()


@forged("order", "k1", "phone")
def left_out_until_the_next_connection():
    story = Story("phone")
    one = story.connect("phone")
    first, second = story.push(), story.push()
    story.get(one, second)
    story.vanish(one)
    story.get(story.connect("phone"), first)
    return story.end()


@forged("order", "k2")
def listed_before_it_was_pushed():
    story = Story("phone")
    first, second = story.push(listed=False), story.push(listed=False)
    third = story.push(listed=False)
    for key in (third, first, second):
        story.list(key)
    story.get(story.connect("phone"), third, first, second)
    return story.end()


@forged("repeated", "k1", "phone")
def twice_on_one_connection():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.push()
    story.get(conn, key, key)
    return story.end()


@forged("repeated", "k1", "phone")
def acknowledged_and_sent_again():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.ping(one)
    story.vanish(one)
    story.get(story.connect("phone"), key)
    return story.end()


@forged("repeated", "k1", "phone")
def acknowledged_long_before_a_crash():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.ping(one)
    story.wait(5)
    story.kill()
    story.get(story.connect("phone"), key)
    return story.end()


@forged("repeated", "k1", "phone")
def sent_to_the_second_after_the_first_acknowledged():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.tell(events.Arrived(story.now(), one))
    story.get(story.connect("phone"), key)
    return story.end()


@forged("repeated", "k1", "phone")
def sent_to_the_second_that_took_over():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.tell(events.Arrived(story.now(), one))
    story.tell(events.Connect(story.now(), 9, "phone", "node", 65535))
    story.tell(events.Closed(story.now(), one, "server", 0x8E))
    story.tell(events.Connack(story.now(), 9, 0))
    story.get(9, key)
    return story.end()


@forged("repeated", "k1", "phone")
def acknowledged_before_saying_goodbye():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.bye(one)
    story.get(story.connect("phone"), key)
    return story.end()


@forged("repeated", "k1", "phone")
def configuration_again_without_joining():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.config()
    story.get(conn, key, key, version=4)
    return story.end(**{key: ("active", Story.counts(delivered=1))})


@forged("window", "k3", "phone")
def more_than_receive_maximum():
    story = Story("phone")
    conn = story.connect("phone", receive_maximum=2)
    keys = [story.push() for _ in range(3)]
    for packet in [story.frame(conn, key) for key in keys]:
        story.ack(conn, packet)
    return story.end()


@forged("window", "k2", "phone")
def packet_identifier_in_use():
    story = Story("phone")
    conn = story.connect("phone")
    first, second = story.push(), story.push()
    story.frame(conn, first, packet=9)
    story.frame(conn, second, packet=9)
    story.ack(conn, 9)
    story.vanish(conn)
    story.get(story.connect("phone"), first)
    return story.end()


@forged("cancelled", "k1", "phone")
def after_its_cancel():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.push()
    story.cancel(key)
    story.ping(conn)
    story.frame(conn, key)
    return story.end(**{key: ("cancelled", Story.counts(cancelled=1))})


@forged("cancelled", "k1", "phone")
def after_its_cancel_on_a_new_connection():
    story = Story("phone")
    key = story.push()
    story.cancel(key)
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("cancelled", Story.counts(cancelled=1))})


@forged("expired", "k1", "phone")
def after_its_expiry():
    story = Story("phone")
    key = story.push(lasts=5)
    story.wait(10)
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("expired", Story.counts(expired=1))})


@forged("expired", "k1", "phone")
def kept_alive_by_a_clock_that_went_back():
    story = Story("phone")
    key = story.push(lasts=5)
    story.fault("begin", "clock", offset=-3600.0)
    story.wait(10)
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("expired", Story.counts(expired=1))})


@forged("superseded", "k1", "phone")
def after_a_newer_configuration():
    story = Story("phone")
    conn = story.connect("phone")
    old, new = story.config(), story.config()
    story.ping(conn)
    story.frame(conn, old, version=1)
    story.get(conn, new, version=2)
    return story.end(**{old: ("superseded", Story.counts(superseded=1)), new: ("active", Story.counts(delivered=1))})


@forged("withdrawn", "k1", "phone")
def to_the_next_holder():
    story = Story()
    story.device("phone", user="ann")
    key = story.push()
    story.device("phone", user="bob")
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts(withdrawn=1))})


@forged("withdrawn", "k1", "phone")
def to_a_device_that_was_registered_anew():
    story = Story("phone")
    key = story.push()
    story.remove("phone")
    story.device("phone")
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts(withdrawn=1))})


@forged("withdrawn", "k1", "phone")
def in_test_mode_to_a_device_that_is_none_any_more():
    story = Story("phone", test=True)
    key = story.push(test=True)
    story.device("phone", test=False)
    story.frame(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts(withdrawn=1))})


@forged("stranger", "k1", "phone")
def configuration_of_the_former_holder():
    story = Story()
    story.device("phone", user="ann")
    key = story.config("user", "ann")
    story.device("phone", user="bob")
    story.frame(story.connect("phone"), key, version=3)
    return story.end(**{key: ("active", Story.counts(withdrawn=1))})


@forged("joining", "k1", "phone")
def joined_again_and_got_nothing():
    story = Story("phone")
    story.org("away")
    conn = story.connect("phone")
    key = story.config()
    story.get(conn, key, version=4)
    story.ping(conn)
    story.device("phone", org="away")
    story.device("phone")
    return story.end(**{key: ("active", Story.counts(delivered=1))})


@forged("lost", "k1", "tablet")
def joined_and_got_nothing():
    story = Story("phone")
    key = story.config()
    story.get(story.connect("phone"), key, version=4)
    story.device("tablet")
    return story.end(**{key: ("active", Story.counts(delivered=1, targeted=1))})


@forged("version", "k2")
def versions_that_fall():
    story = Story("phone")
    conn = story.connect("phone")
    old, new = story.config(tag="a"), story.config(tag="b")
    story.get(conn, old, version=4)
    story.get(conn, new, version=3)
    return story.end(**{old: ("active", None), new: ("active", None)})


@forged("version", "k1", "tablet")
def two_versions_of_one_configuration():
    story = Story("phone", "tablet")
    key = story.config()
    story.get(story.connect("phone"), key, version=4)
    story.get(story.connect("tablet"), key, version=5)
    return story.end(**{key: ("active", None)})


@forged("sum", "k1")
def silent_loss():
    story = Story("phone")
    key = story.push()
    story.get(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts(delivered=0, targeted=1))})


@forged("counts", "k1")
def counted_twice():
    story = Story("phone", "tablet")
    key = story.push()
    one = story.connect("phone")
    story.get(one, key)
    story.read(key, delivered=2)
    story.get(story.connect("tablet"), key)
    return story.end()


@forged("counts", "k1")
def not_counted():
    story = Story("phone", "tablet")
    key = story.push()
    one = story.connect("phone")
    story.get(one, key)
    story.ping(one)
    story.read(key, pending=2)
    story.get(story.connect("tablet"), key)
    return story.end()


@forged("counts", "k1")
def another_node_never_learns_of_it():
    story = Story("phone")
    conn = story.connect("phone")
    key = story.push()
    story.get(conn, key)
    story.ping(conn)
    story.wait(5)
    story.read(key, pending=1, node="other")
    return story.end()


@forged("falling", "k1")
def a_count_that_falls_on_another_node():
    story = Story("phone", "tablet")
    conn = story.connect("phone")
    key = story.push()
    story.get(conn, key)
    story.ping(conn)
    story.read(key, delivered=1, pending=1)
    story.read(key, pending=2, node="other")
    story.get(story.connect("tablet"), key)
    return story.end()


@forged("repeated", "k1", "phone")
def acknowledged_on_one_node_and_sent_by_another():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.ping(one)
    story.get(story.connect("phone", node="other"), key)
    return story.end()


@forged("cancelled", "k1", "phone")
def cancelled_on_one_node_and_sent_by_another():
    story = Story("phone")
    conn = story.connect("phone", node="other")
    key = story.push()
    story.cancel(key)
    story.ping(conn)
    story.frame(conn, key)
    return story.end(**{key: ("cancelled", Story.counts(cancelled=1))})


@forged("counts", "k1")
def not_counted_in_the_end():
    story = Story("phone")
    key = story.push()
    one = story.connect("phone")
    story.get(one, key)
    story.ping(one)
    return story.end(**{key: ("completed", Story.counts(expired=1))})


@forged("counts", "k1")
def a_receipt_is_not_counted():
    story = Story("phone")
    key = story.push()
    one = story.connect("phone")
    story.get(one, key)
    story.receipt(one, key)
    return story.end()


@forged("counts", "k1")
def a_receipt_is_counted_twice():
    story = Story("phone")
    key = story.push()
    one = story.connect("phone")
    story.get(one, key)
    story.receipt(one, key)
    story.receipt(one, key)
    return story.end(**{key: ("completed", Story.counts(delivered=1, opened=2))})


@forged("counts", "k1", "tablet")
def listed_as_delivered():
    story = Story("phone", "tablet")
    one, two = story.connect("phone"), story.connect("tablet")
    key = story.push()
    story.get(one, key)
    story.tell(events.Recipients(*story.call(), "node", "task-k1", "delivered", ["phone", "tablet"]))
    story.get(two, key)
    return story.end()


@forged("counts", "k1", "phone")
def not_listed_as_delivered():
    story = Story("phone")
    one = story.connect("phone")
    key = story.push()
    story.get(one, key)
    story.ping(one)
    story.tell(events.Recipients(*story.call(), "node", "task-k1", "delivered", []))
    return story.end()


@forged("counts")
def statistics_that_sum_to_something_else():
    story = Story("phone")
    key = story.push(tag="t")
    story.get(story.connect("phone"), key)
    story.end(healed=False)
    story.tell(events.Stats(*story.call(), "node", "app", "t", 1, Story.counts(delivered=2)))
    return story.events


@forged("targeted", "k1")
def targeted_too_many():
    story = Story("phone")
    key = story.push()
    story.get(story.connect("phone"), key)
    return story.end(**{key: ("completed", Story.counts(delivered=1, expired=1))})


@forged("falling", "k1")
def a_count_that_falls():
    story = Story("phone", "tablet")
    key = story.push()
    one, two = story.connect("phone"), story.connect("tablet")
    story.get(one, key)
    story.get(two, key)
    story.read(key, "completed", delivered=2)
    story.read(key, "completed", delivered=1, expired=1)
    return story.end()


@forged("status", "k1")
def alive_again():
    story = Story("phone")
    key = story.push()
    story.cancel(key)
    story.read(key, "cancelled", cancelled=1)
    return story.end(**{key: ("active", Story.counts(cancelled=1))})


@forged("pending", "k1")
def pending_for_ever():
    story = Story("phone")
    key = story.push()
    story.get(story.connect("phone"), key)
    return story.end(**{key: ("active", Story.counts(pending=1))})


@forged("healing")
def pushes_are_not_taken_again():
    story = Story("phone")
    conn = story.connect("phone")
    story.get(conn, story.push())
    story.wait(1)
    since = story.now()
    story.push(outcome=2302)
    story.end(healed=False)
    story.tell(events.Healed(story.now(), since))
    return story.events


@forged("list", "k1")
def listed_twice():
    story = Story("phone")
    key = story.push()
    story.list(key)
    story.get(story.connect("phone"), key)
    return story.end()


@forged("list")
def nodes_that_disagree():
    """Two pushes at once: each order is possible, and one of them is the order."""
    story = Story("phone", "tablet")
    first, second = story.push("device", "phone", outcome=None), story.push("device", "tablet", outcome=None)
    story.get(story.connect("phone"), first)
    story.get(story.connect("tablet"), second)
    story.listed = [first, second]
    story.end(healed=False)
    story.listed = [second, first]
    return story.end(node="other", healed=False)


@forged("list", "k1")
def nodes_that_count_otherwise():
    story = Story("phone")
    key = story.push()
    one = story.connect("phone")
    story.get(one, key)
    story.receipt(one, key, outcome=None)
    story.end(healed=False)
    return story.end(node="other", healed=False, **{key: ("completed", Story.counts(delivered=1, opened=1))})


@forged("end")
def a_crash():
    story = Story("phone")
    story.tell(events.Node(story.now(), "node", "died", "signal 11"))
    return story.end()


# Nodes that share a store

SHARED = ("node", "other")


@forged("replaced", "k1", "phone")
def the_first_node_goes_on_after_the_device_was_taken_over():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    second = story.connect("phone", node="other")
    story.ping(first)
    key = story.push()
    story.get(second, key)
    story.frame(first, key)
    return story.end()


@forged("replaced", "k1", "phone")
def a_node_that_was_stopped_for_long_goes_on_as_if_it_had_a_lease():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    story.fault("begin", "stop")
    story.wait(60)
    second = story.connect("phone", node="other")
    story.fault("end", "stop")
    story.ping(first)
    key = story.push(node="other")
    story.get(second, key)
    story.frame(first, key)
    return story.end()


@forged("repeated", "k1", "phone")
def the_next_node_repeats_what_the_first_has_read():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    key = story.push()
    story.get(first, key)
    story.ping(first)
    story.get(story.connect("phone", node="other"), key)
    return story.end()


@forged("repeated", "k1", "phone")
def by_the_balancer_the_next_node_repeats_what_the_first_has_read():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone", node="balancer")
    story.route(first, "node")
    key = story.push(node="balancer")
    story.get(first, key)
    story.ping(first)
    second = story.connect("phone", node="balancer")
    story.route(second, "other")
    story.get(second, key)
    return story.end()


@forged("repeated", "k1", "phone")
def a_node_that_dies_long_after_takes_what_was_written_with_it():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone", node="balancer")
    story.route(first, "node")
    key = story.push()
    story.get(first, key)
    story.ping(first)
    story.wait(10)
    story.kill()
    story.get(story.connect("phone", node="other"), key)
    return story.end()


@forged("lost", "k1", "phone")
def a_promotion_loses_what_was_answered():
    story = Story("phone", nodes=SHARED)
    key = story.push()
    story.fault("begin", "failover", node=None)
    story.fault("end", "failover", node=None)
    story.connect("phone", node="other")
    return story.end(**{key: ("active", Story.counts(expired=1))})


@forged("lost", "k1")
def a_promotion_forgets_a_task():
    story = Story("phone", nodes=SHARED)
    story.fault("begin", "failover", node=None)
    story.push(listed=False, node="other")
    story.fault("end", "failover", node=None)
    return story.end()


@forged("order", "k2", "phone")
def a_takeover_begins_behind_what_the_first_node_had_not_sent():
    story = Story("phone", nodes=SHARED)
    first = story.connect("phone")
    one, two, three = story.push(), story.push(node="other"), story.push()
    story.get(first, one)
    second = story.connect("phone", node="other")
    story.get(second, three, two)
    return story.end()


@forged("cancelled", "k1", "phone")
def another_node_does_not_hear_of_a_cancel():
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone", node="other")
    key = story.push()
    story.cancel(key)
    story.ping(conn)
    story.get(conn, key)
    return story.end(**{key: ("cancelled", None)})


@forged("out_biz_no", "k2")
def two_nodes_take_one_number():
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone")
    keys = story.push(biz="b"), story.push(biz="b", node="other")
    story.get(conn, *keys)
    return story.end()


@forged("twice", "k1")
def a_promotion_makes_two_tasks_of_a_push_that_nobody_knew_of():
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone")
    key = story.push(outcome=None, biz="b")
    story.frame(conn, key, task="seen-before")
    story.push(key=key, task="made-again", biz="b", node="other")
    story.get(story.connect("phone"), key)
    return story.end()


@forged("refused", "k1", "phone")
def a_node_delivers_what_another_one_refused():
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone", node="other")
    key = story.push(outcome=2302)
    story.frame(conn, key)
    return story.end()


@forged("falling", "k1")
def another_node_tells_less():
    story = Story("phone", "tablet", nodes=SHARED)
    conn = story.connect("phone")
    key = story.push()
    story.get(conn, key)
    story.read(key, delivered=1, pending=1)
    story.read(key, pending=2, node="other")
    story.get(story.connect("tablet"), key)
    return story.end()


@forged("counts", "k1")
def another_node_does_not_know_of_an_acknowledgement_that_was_written_long_ago():
    story = Story("phone", nodes=SHARED)
    conn = story.connect("phone", node="balancer")
    story.route(conn, "node")
    key = story.push()
    story.get(conn, key)
    story.ping(conn)
    story.wait(20)
    story.read(key, pending=1, node="other")
    return story.end()


@forged("list", "k1")
def two_nodes_tell_different_counts_in_the_end():
    story = Story("phone", "tablet", nodes=SHARED)
    key = story.push()
    for token in ("phone", "tablet"):
        story.get(story.connect(token, node="other"), key)
    story.wait(5)
    story.list_all("other", **{key: ("active", Story.counts(delivered=1, pending=1))})
    return story.end()


@forged("late", "k1", "phone")
def nothing_was_amiss_for_long():
    story = Story("phone", nodes=SHARED)
    story.fault("begin", "failover", node=None)
    story.fault("end", "failover", node=None)
    conn = story.connect("phone", node="balancer")
    story.route(conn, "other")
    story.wait(30)
    key = story.push(lasts=10)
    story.wait(15)
    return story.end(**{key: ("expired", Story.counts(expired=1))})


@forged("end")
def a_node_leaves_without_writing_though_it_could():
    story = Story("phone", nodes=SHARED)
    story.tell(events.Node(story.now(), "other", "unwritten"))
    return story.end()


@pytest.mark.parametrize("story, rule, task, device", [case for cases in FORGED.values() for case in cases])
def test_finds(story, rule, task, device):
    found = check(story())
    assert (rule, task, device) in {(each.rule, each.task, each.device) for each in found}, "\n".join(map(str, found))
    assert {each.rule for each in found} == {rule}, "\n".join(map(str, found))
    assert any(f"{rule}: " in str(each) and (task or "") in str(each) and (device or "") in str(each) for each in found)


def test_every_rule_is_broken_by_a_forged_history():
    assert set(FORGED) == set(RULES)
