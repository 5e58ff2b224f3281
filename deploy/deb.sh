#!/usr/bin/env bash
# Makes the Debian package from the programs that `make build` has made: deploy/deb.sh [DIRECTORY], .build/deb unless another is named.
# Needs debhelper and chrpath. PSP_VERSION=1.2.3 gives it another version than the programs' own; DEBFULLNAME and DEBEMAIL say who makes it.
set -euo pipefail
# Pages and completions are English, whatever the language of whoever makes them.
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

bin=$PWD/.build/release
target=${1:-.build/deb}
version=${PSP_VERSION:-$("$bin/pspd" --version | cut -d ' ' -f 2)}
maintainer="${DEBFULLNAME:-whoever built it} <${DEBEMAIL:-root@$(hostname -f)}>"
for tool in dh chrpath; do
    command -v "$tool" >/dev/null || { echo "deb: $tool is missing: apt-get install chrpath debhelper" >&2; exit 1; }
done

mkdir -p "$target"
target=$(cd "$target" && pwd)
stage=$target/pspd-$version
rm -rf "$stage"
mkdir -p "$stage/project/bin" "$stage"/completions/{bash,zsh,fish}
cp -r deploy/debian "$stage/debian"
sed -i "s/@MAINTAINER@/$maintainer/" "$stage/debian/control"
cp -r deploy docs examples README.md README.zh-CN.md CHANGELOG.md "$stage/project"
cp "$bin/pspd" "$bin/pspctl" "$stage/project/bin"

python3 deploy/manual.py "$bin/pspd" "$bin/pspctl" "$stage/manual"
"$bin/pspctl" --generate-completion-script bash | sed 1d >"$stage/completions/bash/pspctl"
"$bin/pspctl" --generate-completion-script zsh >"$stage/completions/zsh/_pspctl"
"$bin/pspctl" --generate-completion-script fish >"$stage/completions/fish/pspctl.fish"
# The program itself says which flags it has.
flags="pspd --help 2>/dev/null | grep -o '^  --[a-z-]*' | tr -d ' '"
echo "complete -o default -W \"\$($flags)\" pspd" >"$stage/completions/bash/pspd"
printf '#compdef pspd\ncompadd -- ${(f)"$(%s)"}\n_files\n' "$flags" >"$stage/completions/zsh/_pspd"
echo "complete -c pspd -a \"($flags)\"" >"$stage/completions/fish/pspd.fish"
cat >"$stage/debian/changelog" <<CHANGES
psp ($version) unstable; urgency=medium

  * CHANGELOG.md says what changed.

 -- $maintainer  $(date --utc --date="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" -R)
CHANGES

(cd "$stage" && dpkg-buildpackage --build=binary --no-sign >"$target/build.log" 2>&1) || { tail -n 30 "$target/build.log" >&2; exit 1; }
rm -rf "$stage"
ls "$target"/pspd_"$version"_*.deb
