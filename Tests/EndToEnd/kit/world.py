"""Names that no other test uses, and what a test puts under them into the server's directory."""

import dataclasses
import itertools

from .rest import AdminClient, PushClient


@dataclasses.dataclass(frozen=True)
class Registered:
    """A device that the server knows."""

    token: str
    secret: str


class World:
    _numbers = itertools.count(1)

    def __init__(self, server):
        self.server = server
        self.admin = AdminClient(server)
        self.prefix = f"w{next(World._numbers)}."

    def name(self, text):
        return self.prefix + text

    def app(self, text="app", **fields):
        """Registers an app and returns a caller for it."""
        fields = {"name": text, "interfaces": ["msg", "config"]} | fields
        data = self.admin.put("apps", self.name(text), **fields).ok()
        return PushClient(self.server, self.name(text), data["master_secret"])

    def org(self, text, parent=None):
        fields = {"name": text} | ({"parent_id": parent} if parent else {})
        self.admin.put("orgs", self.name(text), **fields).ok()
        return self.name(text)

    def device(self, text, org, platform="android", **fields):
        data = self.admin.put("devices", self.name(text), org_id=org, platform=platform, **fields).ok()
        return Registered(self.name(text), data["secret"])
