"""The systemd unit: valid, and with nothing allowed that the server does not need."""

import shutil
import subprocess

from kit.server import ROOT, binary

UNIT = ROOT / "deploy/systemd/pspd.service"


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_the_unit_is_valid(tmp_path):
    text = UNIT.read_text()
    assert "/usr/local/bin/pspd" in text
    unit = shutil.copy(UNIT, tmp_path)
    with open(unit, "w") as file:
        file.write(text.replace("/usr/local/bin/pspd", binary("pspd")))
    result = analyze("verify", "--man=no", unit)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_unit_is_exposed_as_little_as_it_can_be():
    # In tenths: below 2.0.
    result = analyze("security", "--offline=true", "--threshold=19", str(UNIT))
    assert result.returncode == 0, result.stdout
