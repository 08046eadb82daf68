# shellcheck shell=bash
# campaign.sh - the way of one advisory, from discovery to the report (sourced by run, after a world).

phase "Making room: stopping what an earlier demo left running"
lab/demo/down
rm -rf "$OUT"
mkdir -p "$OUT/state" "$OUT/mails"
trap 'rc=$?; [ $rc = 0 ] || printf "\ndemo: failed; look into %s, then: make demo-down\n" "$OUT" >&2; [ "${EVENKEEL_DEMO_KEEP:-1}" = 1 ] || lab/demo/down' EXIT

phase "Installing what is missing and building into bin/"
need_packages
build
world_up

phase "Starting a mail server on loopback that keeps what it is sent"
begin sink "${SINK[@]}" -addr 127.0.0.1:0 -dir "$OUT/mails"
wait_for 10 grep -q '^127' "$OUT/sink.log" || give_up "the mail server does not start: see $OUT/sink.log"
smtp=$(grep -m 1 '^127' "$OUT/sink.log")

world_fleet
expect 0 bin/evenkeel fleet check "$OUT/fleet.yaml"
expect 0 bin/evenkeel fleet show "$OUT/fleet.yaml"

phase "Assessing: which hosts and instances does ${ADVISORY:-CVE-2025-11234} touch?"
expect 2 bin/evenkeel assess --fleet "$OUT/fleet.yaml" --target "$TARGET" >"$OUT/assessment.txt"
tail -n 3 "$OUT/assessment.txt"
expect 2 bin/evenkeel assess --fleet "$OUT/fleet.yaml" --target "$TARGET" -o json >"$OUT/assessment.json"

phase "Planning"
expect 0,2 bin/evenkeel plan --fleet "$OUT/fleet.yaml" --target "$TARGET" --policy "$POLICY" --out "$OUT/plan.json"

phase "Judging the plan by other code than the planner's"
expect 0 bin/evenkeel audit --fleet "$OUT/fleet.yaml" --plan "$OUT/plan.json"

phase "What a tenant will read"
bin/evenkeel notice preview --plan "$OUT/plan.json" --tenant "${TENANT:-cedar}" >"$OUT/notice.txt" || give_up "no preview"
head -n 24 "$OUT/notice.txt" | sed 's/^/    | /'

phase "Starting the server and applying the plan: tenants are told, then hosts are maintained"
SERVE+=(--state "$OUT/state" --smtp "$smtp" --smtp-tls none --mail-from "Operator <maintenance@operator.example>")
declare -p SERVE >"$OUT/serve.sh" # for whoever starts the server again
begin server "${SERVE[@]}"
export EVENKEEL_SERVER=unix:$OUT/state/evenkeel.sock EVENKEEL_OPERATOR=${EVENKEEL_OPERATOR:-demo}
wait_for 10 bin/evenkeel status || give_up "the server does not answer: see $OUT/server.log"
expect 0 bin/evenkeel apply "$OUT/plan.json" --revision 1
begin watch bin/evenkeel watch --plain
[ -z "${EVENKEEL_DEMO_DISTURB:-}" ] || begin disturber "$EVENKEEL_DEMO_DISTURB"
watched=0
if [ -t 1 ]; then bin/evenkeel watch || watched=$?; else bin/evenkeel watch --plain || watched=$?; fi
[ -z "${EVENKEEL_DEMO_DISTURB:-}" ] || { wait_for 60 not alive disturber; sed 's/^/    | /' "$OUT/disturber.log"; }

phase "The report, from the journal alone"
wait_for 20 bin/evenkeel status || give_up "the server does not answer: see $OUT/server.log"
expect 0 bin/evenkeel journal >"$OUT/journal.jsonl"
report=0
bin/evenkeel report --journal "$OUT/journal.jsonl" >"$OUT/report.txt" || report=$?
bin/evenkeel report --journal "$OUT/journal.jsonl" -o json --out "$OUT/report.json" || report=$?
bin/evenkeel report --journal "$OUT/journal.jsonl" -o html --out "$OUT/report.html" || report=$?
sed '/^HOSTS/,$d' "$OUT/report.txt"
sed -n '/^PROMISES/,/^NOTICES/p' "$OUT/report.txt" | sed '$d'

phase "Judging the journal against the laws"
audit=0
bin/evenkeel audit --journal "$OUT/journal.jsonl" || audit=$?
bin/evenkeel audit --journal "$OUT/journal.jsonl" -o json >"$OUT/audit.json" || true
findings=$(perl -MJSON::PP -e 'local $/; print scalar @{decode_json(<STDIN>)->{findings} || []}' <"$OUT/audit.json") || give_up "no verdict: see $OUT/audit.json"

phase "Asking the witness, who has seen neither journal nor report"
verdict=0
line=$(world_verdict "$findings") || verdict=$?
world_counts
! declare -F world_after >/dev/null || world_after

phase "Where to look"
note "report    $OUT/report.html  (also report.txt, report.json)"
note "mails     $OUT/mails/       plan  $OUT/plan.json   fleet  $OUT/fleet.yaml"
note "journal   $OUT/journal.jsonl  (kept in $OUT/state/journal.db)"
note "witness   $OUT/witness.json"
if [ "${EVENKEEL_DEMO_KEEP:-1}" = 1 ]; then
  world_left
  note "stop it all:  make demo-down"
fi
[ $watched$report$audit = 000 ] || note "exit codes: watch $watched, report $report, audit $audit"
phase "done"
echo "demo ($KIND): $line"
[ $watched$report$audit$verdict = 0000 ]
