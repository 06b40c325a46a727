# 写入哪些文件、怎样撤销。由 install.sh 读入。
# What the installation writes, and how it is undone. Read by install.sh.
# shellcheck shell=sh disable=SC2154 # its variables are install.sh's

# One line for each thing done; --uninstall reads them.
record() { [ -n "$dry_run" ] || grep -qxF "$*" "$manifest" 2>/dev/null || printf '%s\n' "$*" >>"$manifest"; }

# put FILE PLACE MODE: in one step, since a running PHP keeps the library that it has mapped.
put() {
    if [ -n "$dry_run" ]; then
        printf '    [dry-run] %s\n' "$2"
        return
    fi
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.new"
    chmod "$3" "$2.new"
    mv -f "$2.new" "$2"
    record "file $2"
}

# Writes $lines into one of ini_places.
write_ini() {
    case $1 in
        mods)
            if [ -n "$dry_run" ]; then
                printf '    [dry-run] /etc/php/%s/mods-available/%s.ini\n%s\n' "$2" "$ini_name" "$lines"
            else
                printf '; RoutineTemplate\n; priority=90\n%s\n' "$lines" >"/etc/php/$2/mods-available/$ini_name.ini"
            fi
            record "mods $2 $ini_name"
            run phpenmod -v "$2" "$ini_name"
            ;;
        dir)
            if [ -n "$dry_run" ]; then
                printf '    [dry-run] %s\n%s\n' "$2/90-$ini_name.ini" "$lines"
            else
                mkdir -p "$2"
                printf '; RoutineTemplate\n%s\n' "$lines" >"$2/90-$ini_name.ini"
            fi
            record "file $2/90-$ini_name.ini"
            ;;
        file)
            if [ -n "$dry_run" ]; then
                printf '    [dry-run] %s\n%s\n' "$2" "$lines"
            else
                remove_block "$2" || fail "请先改好它。" "Put that right first."
                # A line of ours must not join the last line of a file that ends without a line break.
                open_end=''
                if [ -s "$2" ] && [ -n "$(tail -c 1 "$2")" ]; then
                    echo >>"$2"
                    open_end=' +'
                fi
                printf '%s %s%s\n%s\n%s %s\n' "$begin" "$name" "$open_end" "$lines" "$end" "$name" >>"$2"
            fi
            record "block $2"
            ;;
    esac
}

# What is left of a php.ini (standard input) without our lines.
outside_block() { sed "/^$begin $name\( +\)\{0,1\}\$/,/^$end $name\$/d"; }

# Takes our lines out of a php.ini; its owner and mode stay.
remove_block() {
    [ -f "$1" ] || return 0
    # From a BEGIN that has lost its END everything to the end of the file would go.
    if [ "$(grep -cE "^$begin $name( \+)?\$" "$1")" != "$(grep -cxF "$end $name" "$1")" ]; then
        say "$1 里 '$begin $name' 与 '$end $name' 两行不成对，没有改动这个文件：请手工删除其中 RoutineTemplate 的几行。" \
            "$1 has not as many lines '$begin $name' as '$end $name' and was left alone: take the lines of RoutineTemplate out by hand." >&2
        return 1
    fi
    # A php.ini may hold secrets and be nobody else's to read: neither are its copies.
    (umask 077 && : >"$1.routine-template.new" && : >"$1.routine-template.new2")
    outside_block <"$1" >"$1.routine-template.new"
    if [ "$(tail -n 1 "$1")" = "$end $name" ] && grep -qxF "$begin $name +" "$1"; then
        # It ended without a line break, and does so again.
        printf '%s' "$(cat "$1.routine-template.new")" >"$1.routine-template.new2"
        mv -f "$1.routine-template.new2" "$1.routine-template.new"
    fi
    cmp -s "$1" "$1.routine-template.new" || cat "$1.routine-template.new" >"$1"
    rm -f "$1.routine-template.new" "$1.routine-template.new2"
}

undo() {
    [ -f "$manifest" ] || return 0
    # A second package may have installed the command and the adapters too: what both name stays.
    # shellcheck disable=SC2094 # it is only read
    while read -r what place rest; do
        case $what in
            file) [ "$(grep -lxF "file $place" "$shared"/installed/* 2>/dev/null | wc -l)" -gt 1 ] || run rm -f "$place" ;;
            block) run remove_block "$place" || true ;;
            mods)
                run phpdismod -v "$place" "$rest" || true
                run rm -f "/etc/php/$place/mods-available/$rest.ini"
                # phpdismod leaves a marker that would keep a later installation switched off.
                run find /var/lib/php/modules -path "*/$place/*" -name "$rest" -exec rm -f {} + 2>/dev/null || true
                ;;
        esac
    done <"$manifest"
    run rm -f "$manifest"
    for directory in "$library_dir" "$shared" "$store"; do
        [ ! -d "$directory" ] || run find "$directory" -depth -type d -empty -delete
    done
}

find_web_user() {
    [ -z "$web_user" ] || return 0
    case $used in */www/server/php/*) candidates='www www-data' ;; *) candidates='www-data www apache nginx' ;; esac
    for web_user in $candidates ''; do
        [ -z "$web_user" ] || ! id -u "$web_user" >/dev/null 2>&1 || break
    done
}

make_store() {
    if [ -d "$store" ]; then
        say "保留已有的数据目录 $store" "Keeping the store that is there: $store"
        return
    fi
    run mkdir -p "$store"
    run chmod 700 "$store"
    if [ -n "$web_user" ]; then
        run chown "$web_user" "$store"
        run chgrp "$(id -gn "$web_user")" "$store"
    else
        say "没有找到网站用户（www、www-data）：请把 $store 的所有者改为运行 PHP 的用户。" "No web user found (www, www-data): make the user that runs PHP the owner of $store."
    fi
}
