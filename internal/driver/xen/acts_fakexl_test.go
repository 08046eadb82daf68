package xen

// fakeXL keeps each domain as a file dom/NAME: id, memory, state, UUID. How slow it is, and what fails,
// stands in files, too. A destination is the folder beside this one that has its name.
const fakeXL = `#!/bin/sh
cd "$XLROOT" || exit 1
D=dom
act=$1; shift
pause() { sleep "$(cat slow 2>/dev/null || echo 0)"; }
byid() { for f in $D/*; do read -r id rest <"$f"; [ "$id" = "$1" ] && basename "$f"; done; }
put() { read -r id mem st uuid <"$1/$2"; echo "$id $mem $3 $uuid" >"$1/$2"; }
echo "$act $*" >>calls
case $act in
info) echo "host : fake"; echo "free_memory            : $(cat free)";;
list)
  v=; [ "$1" = -v ] && { v=1; shift; }; [ "$1" = -l ] && shift
  if [ -n "${1:-}" ]; then [ -e "$D/$1" ] || { echo "$1 is an invalid domain identifier (rc=-6)" >&2; exit 1; }; fi
  [ -e broken ] && { echo "cannot open xenstore" >&2; exit 1; }
  printf 'Name                                        ID   Mem VCPUs\tState\tTime(s)'; [ -n "$v" ] && printf '   UUID                            Reason-Code\tSecurity Label'; echo
  for f in $D/*; do
    [ -e "$f" ] || continue
    read -r id mem st uuid <"$f"
    printf '%-40s %5d %5d     1     %s    1234.5' "$(basename "$f")" "$id" "$mem" "$st"; [ -n "$v" ] && printf ' %s        -                -' "$uuid"; echo
  done;;
create)
  n=$(sed -n 's/^name = "\(.*\)"/\1/p' "$1"); [ -e "$D/$n" ] && { echo "$n exists" >&2; exit 1; }
  echo "9 64 r----- 00000000-0000-4000-8000-000000000009" >$D/$n; echo booted >>history/$n;;
shutdown) [ -e deaf ] || (sleep 0.3; rm -f "$D/$2") >/dev/null 2>&1 & exit 0;;
destroy) rm -f "$D/$(byid "$1")";;
unpause) put $D "$1" r-----; echo resumed >>history/$1;;
save)
  echo "Saving to $2 new xl format (info 0x3/0x0/843)" >&2
  printf 'half of ' >"$2"; pause
  [ -e save-fails ] && { echo "Failed to save domain, resuming domain" >&2; exit 1; }
  echo "$1 $(cat $D/$1)" >>"$2"; echo saved >>history/$1; rm "$D/$1";;
restore)
  shift; pause
  [ -e restore-fails ] && { echo "libxl: error: cannot (re-)build domain: -3" >&2; exit 1; }
  read -r a b n id mem st uuid <"$1"
  echo "9 $mem --p--- $uuid" >$D/$n; sleep 86400 >/dev/null 2>&1 & echo $! >>watchers;;
migrate)
  n=$3 to=../${4#*@}
  echo "migration target: Ready to receive domain." >&2
  if [ -e logdirty ]; then
    echo "xc: error: Failed to enable logdirty: 95,22,0 (22 = Invalid argument): Internal error" >&2
    echo "Migration failed, failed to suspend at sender." >&2; exit 1
  fi
  echo "xc: info: Saving domain 3, type x86 PV" >&2
  read -r id mem st uuid <$D/$n
  echo "8 $mem --p--- $uuid" >$to/dom/$n--incoming
  sleep "$(cat slow 2>/dev/null || echo 0)" & echo $! >transport
  if ! wait $!; then
    rm -f $to/dom/$n--incoming; echo "Migration failed, resuming at sender." >&2
    echo "libxl: error: libxl_dom_suspend.c:666:domain_resume_done: Domain 1:xc_domain_resume failed: Invalid argument" >&2; exit 1
  fi
  echo "migration sender: Target has acknowledged transfer." >&2
  put $D $n ---ss-; mv $D/$n $D/$n--migratedaway
  echo "migration sender: Giving target permission to start." >&2
  if [ -e handshake ]; then
    case $(cat handshake) in started) mv $to/dom/$n--incoming $to/dom/$n; put $to/dom $n r-----;; esac
    echo "** Migration failed during final handshake **" >&2; echo "Please CHECK AT BOTH ENDS for running instances, before renaming and" >&2; exit 1
  fi
  mv $to/dom/$n--incoming $to/dom/$n; put $to/dom $n r-----; rm $D/$n--migratedaway; echo moved >>history/$n
  echo "Migration successful." >&2;;
*) echo "unknown command $act" >&2; exit 2;;
esac
`
