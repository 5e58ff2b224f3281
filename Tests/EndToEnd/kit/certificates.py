"""Certificates as an operator has them: an authority, and what it signs, by the openssl program."""

import os
import pathlib
import ssl
import subprocess
import time

EXTENSIONS = {
    "server": "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
    "authority": "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
    "client": "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n",
}


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Authority:
    """Signs what it is asked for. Its files stand in a directory of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate = self.directory / "ca.pem"
        self.key = self.directory / "ca.key"
        new_key(self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", "/CN=test authority", "-days", 3650, "-out", self.certificate)

    def issue(self, name, kind="server", *, days=365, begins=None, ends=None, algorithm="ec", names=""):
        """A certificate and its key, in new files. `begins` and `ends` are Unix times, for one of another time."""
        pair = Pair(self, self.directory / f"{name}.pem", self.directory / f"{name}.key")
        new_key(pair.key, algorithm)
        request = openssl("req", "-new", "-key", pair.key, "-subj", f"/CN={name}")
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(EXTENSIONS[kind] + names)
        if ends is None:
            lifetime = ["-days", days]
            signed = openssl(
                "x509", "-req", "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-extfile", extensions, *lifetime,
                stdin=request)
        else:
            signed = self._sign_for(request, extensions, begins, ends)
        pair.certificate.write_bytes(signed)
        return pair

    def make_authority(self, name):
        """Another one, which this one has signed."""
        made = Authority(self.directory / name)
        pair = self.issue(name, "authority")
        os.replace(pair.certificate, made.certificate)
        os.replace(pair.key, made.key)
        return made

    def _sign_for(self, request, extensions, begins, ends):
        """`openssl x509` of Debian 12 cannot date a certificate back; `openssl ca` can."""
        database = self.directory / "index.txt"
        database.write_text("")
        asked = self.directory / "request.pem"
        asked.write_bytes(request)
        config = self.directory / "ca.cnf"
        config.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\nnew_certs_dir={self.directory}\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        stamps = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment)) for moment in (begins, ends)]
        return openssl(
            "ca", "-batch", "-notext", "-config", config, "-cert", self.certificate, "-keyfile", self.key, "-in", asked, "-extfile",
            extensions, "-startdate", stamps[0], "-enddate", stamps[1])


class Pair:
    """A certificate and its key."""

    def __init__(self, authority, certificate, key):
        self.authority, self.certificate, self.key = authority, certificate, key

    @property
    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.certificate.read_text())

    @property
    def sha256(self):
        return openssl("x509", "-in", self.certificate, "-noout", "-fingerprint", "-sha256").decode().split("=")[1].strip().replace(":", "").lower()

    def flags(self):
        """What has the server show it."""
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]

    def put_in_place_of(self, other):
        """As those who renew certificates do: by rename, one file after the other."""
        os.replace(self.certificate, other.certificate)
        os.replace(self.key, other.key)


class Trust:
    """What a client knows: whom it trusts, and, where it has one, its own certificate."""

    def __init__(self, authority, own=None):
        self.authority, self.own = authority, own

    def context(self, *, minimum=None, maximum=None, alpn=None):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if minimum:
            context.minimum_version = minimum
        if maximum:
            context.maximum_version = maximum
        if alpn:
            context.set_alpn_protocols(alpn)
        if self.own:
            context.load_cert_chain(self.own.certificate, self.own.key)
        return context


class Named:
    """A trust by which servers are asked for by a name that no resolver knows."""

    def __init__(self, trust, name):
        self.trust, self.name = trust, name

    def context(self, **options):
        context = self.trust.context(**options)
        wrap = context.wrap_socket
        context.wrap_socket = lambda plain, server_hostname=None, **more: wrap(plain, server_hostname=self.name, **more)
        return context


def new_key(path, algorithm="ec"):
    kind = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec" else ["-algorithm", "RSA"]
    openssl("genpkey", *kind, "-out", path)
    path.chmod(0o600)


def new_ticket_key():
    """A line of the file of ticket keys."""
    return openssl("rand", "-base64", "80").replace(b"\n", b"").decode() + "\n"
