#!/bin/bash
# Every shell script passes shellcheck; the unit file passes systemd's own check where systemd is at hand.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

mapfile -t scripts < <(git ls-files -c -o --exclude-standard | while read -r file; do
    [ -f "$file" ] || continue
    case $(head -n 1 -- "$file" | tr -d '\0') in
    '#!/bin/sh'* | '#!/bin/bash'*) echo "$file" ;;
    esac
done)
[ "${#scripts[@]}" -ge 3 ] || fail "only ${#scripts[@]} scripts found"
shellcheck -x -P . "${scripts[@]}" || fail "shellcheck finds fault"
ok "shellcheck: ${#scripts[@]} scripts"

if command -v systemd-analyze >/dev/null; then
    mkdir "$work/unit"
    sed -E "s,^(Exec[A-Za-z]*)=[^ ]*,\1=$JSUPERVISE," systemd/jsupervise.service >"$work/unit/jsupervise.service"
    systemd-analyze verify "$work/unit/jsupervise.service" >"$work/said" 2>&1 || { cat "$work/said" && fail "the unit is wrong"; }
    [ ! -s "$work/said" ] || { cat "$work/said" && fail "systemd complains of the unit"; }
    ok "systemd-analyze verify"
else
    skip "systemd-analyze is not here"
fi
