# shellcheck shell=bash
# common.sh - what the demo's scripts share (sourced, never run). They run in the project's root, so that
# the path of the server's socket stays short wherever the clone lies.

OUT=${EVENKEEL_DEMO_OUT:-out/demo}          # everything that a run leaves behind
T0=${T0:-$(date +%s%3N)}

elapsed() { local ms=$(($(date +%s%3N) - T0)); printf '%3d.%d s' $((ms / 1000)) $((ms / 100 % 10)); }
phase() { printf '\n[%s] %s\n' "$(elapsed)" "$*"; }
note() { printf '          %s\n' "$*"; }
give_up() { printf '\ndemo: %s\n' "$*" >&2; exit 1; }

# A process is recorded as 'PID STARTTIME', as the lab does it: nothing is ever signalled by its name.
start_time() { local s fields; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; s=${s##*) }; read -r -a fields <<<"$s"; echo "${fields[19]}"; }
alive() { # alive NAME: prints the pid of the recorded process if that very one still lives
  local p t
  { read -r p t <"$OUT/run/$1"; } 2>/dev/null || return 1
  [ -n "$t" ] && [ "$(start_time "$p")" = "$t" ] && echo "$p"
}
begin() { # begin NAME CMD...: start a process apart from this one, its output in OUT/NAME.log
  local name=$1 p; shift
  mkdir -p "$OUT/run"
  setsid "$@" </dev/null >>"$OUT/$name.log" 2>&1 &
  p=$!
  echo "$p $(start_time $p)" >"$OUT/run/$name"
  disown $p # its end is no news of this shell
}
end() { # end NAME [SIGNAL]: end the recorded process, wait for it, and insist after 10 s
  local p n
  p=$(alive "$1") || { rm -f "$OUT/run/$1"; return 0; }
  kill "-${2:-TERM}" "$p" 2>/dev/null || true
  for n in $(seq 500); do
    alive "$1" >/dev/null || break
    [ "$n" != 400 ] || kill -KILL "$p" 2>/dev/null || true
    sleep 0.025
  done
  rm -f "$OUT/run/$1"
}
not() { ! "$@"; }
wait_for() { # wait_for SECONDS CMD...: until CMD succeeds
  local n=$(($1 * 20)); shift
  for _ in $(seq "$n"); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
  return 1
}
# expect CODES CMD...: run CMD; any exit code not in CODES (0,2) is the end of the demo
expect() {
  local codes=",$1," rc=0; shift
  "$@" || rc=$?
  case $codes in *",$rc,"*) ;; *) give_up "'$*' ended with exit code $rc" ;; esac
}
# The demo stops only a lab that it has started itself; a note outside the lab says which one that is.
LAB_NOTE=/run/evenkeel-demo.${PFX:-evk}
lab_up() { # lab_up ARGS of up
  local kind=${LAB_KIND:-libvirt} dir=${EVENKEEL_LAB:-/var/lib/evenkeel-lab}
  [ "$kind" = libvirt ] || dir=$EVENKEEL_XEN_LAB
  [ ! -e "$dir/lab.json" ] || give_up "a lab that the demo did not start stands in $dir: stop it with lab/$kind/down, or set PFX, NET and its folder for another one"
  echo "$dir $kind" >"$LAB_NOTE"
  lab/$kind/up "$@"
}
lab_down() {
  local dir kind
  { read -r dir kind <"$LAB_NOTE"; } 2>/dev/null || return 0
  EVENKEEL_LAB=$dir EVENKEEL_XEN_LAB=$dir lab/"${kind:-libvirt}"/down
  rm -f "$LAB_NOTE"
}
build() {
  command -v go >/dev/null || give_up "needs Go 1.26 (https://go.dev/dl/): there is no 'go' in PATH"
  mkdir -p bin
  go build -o bin/ ./cmd/evenkeel ./lab/cmd/... || give_up "it does not build"
}
