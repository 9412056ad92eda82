#!/bin/bash
# The launcher: from any directory, through links, with spaces in its path, and with whatever Java it meets.
cd -- "$(dirname -- "$0")/../.." && . .ci/checks/lib.sh

app=$(dirname -- "$(dirname -- "$(readlink -f -- "$JSUPERVISE")")")

exits 0 "$JSUPERVISE" --version
version=$(cat "$work/said")
[ -n "$version" ] || fail "--version says nothing"

same_version() {
    [ "$(cat "$work/said")" = "$version" ] || { cat "$work/said" >&2 && fail "another version: $*"; }
}

exits 0 env -C / "$app/bin/jsupervise" --version
same_version "from /"
exits 0 env -C "$app/bin" ./jsupervise --version
same_version "as ./jsupervise"
exits 0 env -C "$app/bin" sh jsupervise --version
same_version "as sh jsupervise"
exits 0 env -C "$app" CDPATH=/ bin/jsupervise --version
same_version "with CDPATH"
ok "from any directory"

mkdir "$work/links" "$work/links/deep"
ln -s "$app/bin/jsupervise" "$work/links/absolute"
ln -s ../absolute "$work/links/deep/relative"
ln -s "$app" "$work/links/app"
exits 0 "$work/links/deep/relative" --version
same_version "through two links"
exits 0 "$work/links/app/bin/jsupervise" --version
same_version "through a linked folder"
exits 0 env "PATH=$work/links:$PATH" absolute --version
same_version "found in PATH through a link"
ok "through links"

cp -a "$app" "$work/with a space and \"quotes\""
exits 0 "$work/with a space and \"quotes\"/bin/jsupervise" --version
same_version "with spaces in the path"
ok "with spaces in its path"

# ---- which Java -------------------------------------------------------------------------------------------------------------------
# A Java that is none: tells which one was taken, and what it was given.
fake_java() {
    mkdir -p "$1/bin"
    printf '#!/bin/sh\necho "this is %s"\n' "$1" >"$1/bin/java"
    chmod +x "$1/bin/java"
    [ -z "$2" ] || printf 'IMPLEMENTOR="x"\nJAVA_RUNTIME_VERSION="%s+1"\nJAVA_VERSION="%s"\n' "$2" "$2" >"$1/release"
}
fake_java "$work/new" 21.0.1
fake_java "$work/floor" 17
fake_java "$work/old" 11.0.2
fake_java "$work/older" 1.8.0_292
fake_java "$work/mute" ""

exits 0 env "JSUPERVISE_JAVA=$work/new" "$JSUPERVISE" status
says "this is $work/new"
exits 0 env "JSUPERVISE_JAVA=$work/new/bin/java" "$JSUPERVISE" status
says "this is $work/new"
exits 0 env "JAVA_HOME=$work/floor" "$JSUPERVISE" status
says "this is $work/floor"
mkdir "$work/path"
ln -s "$work/new/bin/java" "$work/path/java"
exits 0 env -u JAVA_HOME "PATH=$work/path:$PATH" "$JSUPERVISE" status
says "this is $work/new"
exits 0 env "JAVA_HOME=$work/old" "PATH=$work/older/bin:$work/path:$PATH" "$JSUPERVISE" status
says "this is $work/new"
ok "takes JSUPERVISE_JAVA, JAVA_HOME, PATH in this order, and passes over what is too old"

exits 127 env "JSUPERVISE_JAVA=$work/old" "$JSUPERVISE" status
says "JSUPERVISE_JAVA=$work/old" 17
exits 127 env "JSUPERVISE_JAVA=$work/mute" "$JSUPERVISE" status
exits 127 env "JSUPERVISE_JAVA=/nowhere" "$JSUPERVISE" status
ok "refuses a JSUPERVISE_JAVA that does not fit"

# A machine without Java: a mount namespace with an empty /usr/lib/jvm. The launcher needs no program but cat and readlink.
mkdir "$work/bare" "$work/empty"
for tool in cat readlink; do
    ln -s "$(command -v "$tool")" "$work/bare/$tool"
done
without_java=(env -u JAVA_HOME "PATH=$work/bare" /bin/sh "$JSUPERVISE" status)
if unshare -m true 2>/dev/null; then
    cat >"$work/hide" <<'END'
mount --bind "$1" /usr/lib/jvm && shift && exec "$@"
END
    exits 127 unshare -m /bin/sh "$work/hide" "$work/empty" "${without_java[@]}"
    says "no Java of version 17" "apt-get install" JSUPERVISE_JAVA
    ok "says clearly that there is no Java"
else
    skip "cannot hide /usr/lib/jvm here"
fi

# ---- what it leaves to the program -------------------------------------------------------------------------------------------------
printf '#!/bin/sh\necho "$$"; env | sort\n' >"$work/new/bin/java"
env "JSUPERVISE_JAVA=$work/new" "$JSUPERVISE" run >"$work/after" &
launched=$!
wait "$launched"
[ "$(head -n 1 "$work/after")" = "$launched" ] || fail "java is not exec'ed: another pid"
ok "becomes java: the pid stays"
env "JSUPERVISE_JAVA=$work/new" "$work/new/bin/java" >"$work/before"
diff <(sed 1d "$work/before" | grep -v '^\(_\|SHLVL\|PWD\|OLDPWD\)=') <(sed 1d "$work/after" | grep -v '^\(_\|SHLVL\|PWD\|OLDPWD\)=') \
    || fail "the launcher changes the environment"
ok "adds no variable"

# The fake tells what it finds open; it opens nothing itself before it has looked.
cat >"$work/new/bin/java" <<END
#!/bin/sh
in=\$(readlink /proc/\$\$/fd/0)
out=\$(readlink /proc/\$\$/fd/1)
err=\$(readlink /proc/\$\$/fd/2)
printf '%s\\n' "\$in" "\$out" "\$err" >"$work/open"
END
env "JSUPERVISE_JAVA=$work/new" "$JSUPERVISE" run <&- >&- 2>&-
[ "$(sort -u "$work/open")" = /dev/null ] || fail "descriptors that were closed: $(cat "$work/open")"
echo in >"$work/in"
env "JSUPERVISE_JAVA=$work/new" "$JSUPERVISE" run <"$work/in" >"$work/out" 2>"$work/err"
[ "$(cat "$work/open")" = "$(printf '%s\n' "$work/in" "$work/out" "$work/err")" ] || fail "descriptors that were open: $(cat "$work/open")"
ok "gives java /dev/null for a standard descriptor that is closed, and leaves those that are open alone"
