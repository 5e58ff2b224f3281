"""Histories made by hand: each sentence is an event or a few, a hundredth of a second after the one before."""

from chaos import history as events

STATES = (
    "delivered",
    "pending",
    "expired",
    "superseded",
    "cancelled",
    "withdrawn",
    "skipped_oversize",
    "opened",
    "applied",
    "failed",
)


class Story:
    def __init__(self, *tokens, nodes=("node",), **fields):
        """Devices in organisation `home`, android unless it is said otherwise. Several nodes share their store."""
        self.events, self.t = [], 0.0
        self.tell(events.Start(self.t, 1_000_000.0, 1, len(nodes) > 1))
        for node in nodes:
            self.tell(events.Node(self.t, node, "up"))
        self.pushes, self.listed = {}, []
        self.connections = self.packets = 0
        self.org("home")
        for token in tokens:
            self.device(token, **fields)

    def tell(self, event):
        self.events.append(event)

    def wait(self, seconds):
        self.t += seconds
        return self

    def now(self):
        self.t = round(self.t + 0.01, 3)
        return self.t

    def call(self):
        return self.now(), self.now()

    # The directory

    def org(self, name, parent=None):
        self.tell(events.Change(*self.call(), "org", name, {"parent": parent}))

    def device(self, token, platform="android", org="home", user=None, test=False):
        self.tell(events.Change(*self.call(), "device", token, {"platform": platform, "org": org, "user": user, "test": test}))

    def remove(self, token):
        self.tell(events.Change(*self.call(), "-device", token, {}))

    # Callers

    def push(
        self,
        kind="org",
        name="home",
        *,
        interface="msg",
        outcome=0,
        task=None,
        key=None,
        listed=True,
        tag="",
        test=False,
        size=50,
        lasts=None,
        biz=None,
        node="node",
    ):
        """Returns the push's key; its task is named after it."""
        if key is None:
            key = f"k{len(self.pushes) + 1}"
        begin, end = self.call()
        task = (task or f"task-{key}") if outcome == 0 else None
        wish = None if lasts is None else 1_000_000.0 + end + lasts
        self.tell(events.Push(begin, end, node, key, "app", interface, kind, name, test, tag, size, wish, biz, outcome, task))
        if listed and outcome == 0 and key not in self.listed:
            self.list(key)
        self.pushes[key] = task
        return key

    def list(self, key):
        """Its place in the order of acceptance."""
        self.listed.append(key)

    def config(self, *target, **more):
        return self.push(*target, interface="config", **more)

    def cancel(self, key, outcome=0, node="node"):
        self.tell(events.Cancel(*self.call(), node, self.pushes[key], outcome))

    def read(self, key, status="active", node="node", **counts):
        self.tell(events.Read(*self.call(), node, self.pushes[key], status, self.counts(**counts)))

    @staticmethod
    def counts(**counts):
        given = {state: counts.get(state, 0) for state in STATES}
        return {"targeted": counts.get("targeted", sum(given[state] for state in STATES[:7])), **given}

    # Devices

    def connect(self, token, receive_maximum=65535, node="node"):
        """Returns the connection."""
        self.connections += 1
        self.tell(events.Connect(self.now(), self.connections, token, node, receive_maximum))
        self.tell(events.Connack(self.now(), self.connections, 0))
        return self.connections

    def route(self, conn, node):
        self.tell(events.Routed(self.now(), conn, node))

    def frame(self, conn, key, *, task=None, packet=None, version=0, sound=True):
        """Returns the packet's identifier."""
        if packet is None:
            self.packets = packet = self.packets + 1
        self.tell(events.Frame(self.now(), conn, packet, task or self.pushes.get(key) or f"task-{key}", key, version, sound))
        return packet

    def ack(self, conn, packet, reason=0):
        self.tell(events.Ack(self.now(), conn, packet, reason))

    def get(self, conn, *keys, **more):
        """Receives and acknowledges these, one after the other."""
        for key in keys:
            self.ack(conn, self.frame(conn, key, **more))

    def ping(self, conn):
        """The server has read what was sent before."""
        self.tell(events.Ping(self.now(), conn))
        self.tell(events.Pong(self.now(), conn))

    def bye(self, conn):
        self.tell(events.Bye(self.now(), conn))
        self.tell(events.Closed(self.now(), conn, "server"))

    def vanish(self, conn):
        self.tell(events.Closed(self.now(), conn, "device"))

    def receipt(self, conn, key, event="opened", outcome=0):
        self.tell(events.Receipt(*self.call(), conn, self.pushes[key], event, outcome))

    # Nodes and faults

    def kill(self, node="node"):
        self.tell(events.Node(self.now(), node, "killed"))
        self.tell(events.Node(self.now(), node, "up"))

    def fault(self, edge, name, device=None, node="node", **detail):
        """Of the database where `node` is `None`."""
        self.tell(events.Fault(self.now(), edge, name, None if device else node, device, detail))

    # The end

    def end(self, healed=True, node="node", **counts):
        """Lists everything: `counts` by key; what is not given was delivered to all that the push says it has."""
        self.wait(5)
        self.list_all(node, **counts)
        if healed:
            self.tell(events.Healed(self.now()))
        return self.events

    def list_all(self, node, **counts):
        items = []
        for key in self.listed:
            status, found = counts.get(key, ("completed", None))
            items.append([self.pushes[key] or f"task-{key}", key, status, found or self.delivered(key)])
        self.tell(events.Listing(*self.call(), node, items))

    def delivered(self, key):
        """What the counts must be if each device that acknowledged it is one that it addressed."""
        frames, acknowledged, devices = {}, set(), {}
        for event in self.events:
            if isinstance(event, events.Connect):
                devices[event.conn] = event.device
            elif isinstance(event, events.Frame):
                frames[event.conn, event.packet] = event.key
            elif isinstance(event, events.Ack) and frames.get((event.conn, event.packet)) == key:
                acknowledged.add(devices[event.conn])
        return self.counts(delivered=len(acknowledged))
