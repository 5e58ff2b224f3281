"""The model is only worth something when it is right where the rules are plain."""

from kit.model import Model, Task


def small():
    model = Model()
    model.put_org("top", None)
    model.put_org("home", "top")
    model.put_org("away", None)
    model.register("phone", "android", "home")
    return model


def test_what_is_pushed_is_pending_until_the_device_connects():
    model = small()
    task = Task("1", "msg", ("org", "top"), False, "", False)
    model.push(task)
    assert dict(task.counts()) == {"pending": 1} and task.status == "active"
    model.connect("phone", True)
    assert dict(task.counts()) == {"delivered": 1} and task.status == "completed"
    assert model.messages["phone"] == ["1"]


def test_a_device_that_moves_keeps_what_it_had_and_joins_what_is_there():
    model = small()
    there = Task("1", "config", ("org", "away"), False, "", False)
    here = Task("2", "msg", ("org", "home"), False, "", False)
    model.push(there)
    model.push(here)
    model.move("phone", "away")
    assert dict(there.counts()) == {"pending": 1} and dict(here.counts()) == {"pending": 1}


def test_another_holder_is_another_device():
    model = small()
    model.set_user("phone", "a")
    message, configuration = Task("1", "msg", ("device", "phone"), False, "", False), Task("2", "config", ("org", "top"), False, "", False)
    model.push(message)
    model.push(configuration)
    assert model.set_user("phone", "b")
    assert dict(message.counts()) == {"withdrawn": 1}
    assert dict(configuration.counts()) == {"withdrawn": 1, "pending": 1}


def test_a_late_acknowledgement_counts_unless_it_was_withdrawn():
    model = small()
    cancelled, withdrawn = Task("1", "msg", ("org", "top"), False, "", False), Task("2", "msg", ("org", "top"), True, "", False)
    model.set_test("phone", True)
    model.connect("phone", False)
    model.push(cancelled)
    model.push(withdrawn)
    model.cancel(cancelled)
    model.set_test("phone", False)
    model.acknowledge("phone")
    assert dict(cancelled.counts()) == {"delivered": 1} and cancelled.status == "cancelled"
    assert dict(withdrawn.counts()) == {"withdrawn": 1}
