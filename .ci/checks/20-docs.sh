#!/bin/bash
# Links between the project's pages lead somewhere, and no file speaks of the machine it was written on.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

python3 .ci/checks/links.py || fail "links lead nowhere"
ok "links in Markdown files"

for path in "$root/" /root/ "${HOME%/}/"; do
    # A home directory of / names nothing.
    [ "$path" != / ] || continue
    if git grep -nI --untracked -e "$path" -- . ':!.ci/checks/20-docs.sh' >"$work/said"; then
        cat "$work/said" >&2
        fail "files name a path of this machine: $path"
    fi
done
ok "no path of this machine"
