"""What is pushed: each push carries its own name, by which a device's frame is found again in the callers' calls."""

import json
import urllib.parse


def payload(key, interface, chance):
    """A payload of some size: small, or too large for iOS."""
    fill = "x" * chance.choice((0, 10, 60, 60, 400))
    if interface == "config":
        return {"body": f"key={key}&fill={fill}"}
    if chance.random() < 0.3:
        return {"display_type": "message", "body": {"custom": {"key": key, "fill": fill, "number": 1.25}}}
    return {"display_type": "notification", "body": {"title": key, "custom": fill}}


def request(target, content, wish, biz):
    """The body of a call to push."""
    kind, name = target
    field = {"device": "device_tokens", "user": "user_id", "org": "org_id"}[kind]
    policy = ({"expire_time": round(wish * 1000)} if wish else {}) | ({"out_biz_no": biz} if biz else {})
    body = {"type": "groupcast" if kind == "org" else "unicast", field: name, "payload": content}
    return body | ({"policy": policy} if policy else {})


def size(content):
    """Bytes as the interface counts them."""
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def key_of(body):
    """The name in a `body` as a device or a list shows it."""
    if isinstance(body, str):
        return urllib.parse.parse_qs(body)["key"][0]
    return body["title"] if "title" in body else body["custom"]["key"]
