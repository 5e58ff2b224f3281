"""The rules of pushing in a few lines: who gets what, and what the counts are, once everything has settled."""

import collections
import dataclasses

SETTLES = ("pending", "cancelled", "superseded")  # what an acknowledgement that comes late still turns into delivered


@dataclasses.dataclass(eq=False)
class Task:
    """A push that was accepted."""

    id: str
    kind: str  # msg or config
    target: tuple  # ("device" or "user" or "org", name)
    test: bool
    tag: str
    large: bool  # over the limit of an iOS device
    ended: str = ""  # cancelled or superseded
    states: dict = dataclasses.field(default_factory=dict)  # holder to state

    def counts(self):
        return collections.Counter(self.states.values())

    @property
    def status(self):
        if self.ended:
            return self.ended
        pending = "pending" in self.states.values()
        return "completed" if self.kind == "msg" and not pending else "active"


@dataclasses.dataclass(eq=False)
class Holder:
    """A device as the counts know it: with another holder, or registered anew, it is another one."""

    due: list = dataclasses.field(default_factory=list)  # (task, is certain), in order: what an acknowledgement is missing of
    in_hand: list = dataclasses.field(default_factory=list)  # what this connection was sent and has not acknowledged

    def drop(self, task):
        self.due = [entry for entry in self.due if entry[0] is not task]


@dataclasses.dataclass(eq=False)
class Device:
    platform: str
    org: str
    user: str = None
    test: bool = False
    holder: Holder = dataclasses.field(default_factory=Holder)


class Model:
    def __init__(self):
        self.parents = {}
        self.devices = {}
        self.tasks = {}
        self.current = {}  # (target, tag, test) to configuration
        self.connected = {}  # token to whether it acknowledges
        self.messages = collections.defaultdict(list)  # token to the messages that must have arrived, in order
        self.certain = collections.Counter()  # (token, configuration) to how often it must have arrived
        self.possible = collections.Counter()  # and how often more it may have

    # Who is where

    def ancestors(self, org):
        while org is not None:
            yield org
            org = self.parents[org]

    def targets(self, token):
        """Everything by which this device is addressed."""
        device = self.devices[token]
        found = {("device", token)} | {("org", org) for org in self.ancestors(device.org)}
        return found | ({("user", device.user)} if device.user else set())

    def configurations(self, token):
        """The current ones that concern this device."""
        if token not in self.devices:
            return set()
        mine = self.targets(token)
        return {task for task in self.current.values() if task.target in mine and (not task.test or self.devices[token].test)}

    # Pushing

    def refusal(self, target, test, large):
        """The code that this push must get; `None` when it must be accepted."""
        kind, name = target
        members = [token for token in self.devices if target in self.targets(token)]
        if kind == "org" and name not in self.parents:
            return 2203
        if not members and kind != "org":
            return 2201 if kind == "device" else 2202
        if test:
            members = [token for token in members if self.devices[token].test]
            if not members:
                return 2205
        if large and members and all(self.devices[token].platform == "ios" for token in members):
            return 2105
        return None

    def push(self, task):
        self.tasks[task.id] = task
        if task.kind == "config":
            key = task.target, task.tag, task.test
            if key in self.current:
                self.end(self.current[key], "superseded")
            self.current[key] = task
        for token, device in self.devices.items():
            if task.target in self.targets(token) and (not task.test or device.test):
                self.add(token, task)
        self.flow()

    def add(self, token, task):
        """Makes the task due for a device that it addresses, or that joins its target."""
        device = self.devices[token]
        holder = device.holder
        state = task.states.get(holder)
        if state in (None, "withdrawn"):
            if task.large and device.platform == "ios":
                task.states[holder] = "skipped_oversize"
                return
            task.states[holder] = "pending"
            holder.due.append((task, True))
        elif state in ("pending", "delivered"):
            is_to_come = any(entry[0] is task for entry in holder.due)
            holder.due.append((task, not is_to_come))

    def end(self, task, how):
        task.ended = how
        self.current = {key: other for key, other in self.current.items() if other is not task}
        for holder, state in task.states.items():
            holder.drop(task)
            if state == "pending":
                task.states[holder] = how

    def cancel(self, task):
        if task.status == "active":
            self.end(task, "cancelled")

    # Connections

    def connect(self, token, acknowledges):
        self.connected[token] = acknowledges
        self.devices[token].holder.in_hand = []
        self.flow()

    def disconnect(self, token):
        if self.connected.pop(token, None) is not None and token in self.devices:
            self.devices[token].holder.in_hand = []

    def flow(self):
        """What is due reaches those who are connected, and is settled by those who acknowledge."""
        for token, acknowledges in self.connected.items():
            holder = self.devices[token].holder
            for entry in holder.due:
                if any(entry is sent for sent in holder.in_hand):
                    continue
                holder.in_hand.append(entry)
                task, is_certain = entry
                if task.kind == "msg":
                    self.messages[token].append(task.id)
                else:
                    (self.certain if is_certain else self.possible)[token, task.id] += 1
            if acknowledges:
                self.acknowledge(token)

    def acknowledge(self, token):
        holder = self.devices[token].holder
        for task, _ in holder.in_hand:
            if task.states[holder] in SETTLES:
                task.states[holder] = "delivered"
            holder.drop(task)
        holder.in_hand = []

    # The directory

    def change(self, tokens, alter):
        """Carries out a change and lets these devices join what they join by it."""
        before = {token: self.configurations(token) for token in tokens}
        alter()
        for token in tokens:
            for task in self.configurations(token) - before[token]:
                self.add(token, task)
        self.flow()

    def below(self, org):
        return [token for token, device in self.devices.items() if org in self.ancestors(device.org)]

    def put_org(self, org, parent):
        def alter():
            self.parents[org] = parent

        self.change(self.below(org) if org in self.parents else [], alter)

    def remove_org(self, org):
        for task in list(self.current.values()):
            if task.target == ("org", org):
                self.end(task, "cancelled")
        del self.parents[org]

    def register(self, token, platform, org):
        self.change([token], lambda: self.devices.update({token: Device(platform, org)}))

    def move(self, token, org):
        self.change([token], lambda: setattr(self.devices[token], "org", org))

    def set_user(self, token, user):
        """Returns whether that is a change of holder, which closes the connection."""
        device = self.devices[token]
        if device.user in (None, user):
            self.change([token], lambda: setattr(device, "user", user))
            return False
        self.withdraw(device.holder, lambda task: True)
        self.disconnect(token)
        device.user, device.holder = user, Holder()
        for task in self.configurations(token):
            self.add(token, task)
        return True

    def set_test(self, token, test):
        device = self.devices[token]
        if device.test and not test:
            self.withdraw(device.holder, lambda task: task.test)
        self.change([token], lambda: setattr(device, "test", test))

    def remove_device(self, token):
        self.withdraw(self.devices[token].holder, lambda task: True)
        self.disconnect(token)
        del self.devices[token]

    def withdraw(self, holder, concerns):
        for task, _ in list(holder.due):
            if concerns(task):
                if task.states[holder] == "pending":
                    task.states[holder] = "withdrawn"
                holder.drop(task)
