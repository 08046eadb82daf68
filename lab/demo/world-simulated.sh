# shellcheck shell=bash
# world-simulated.sh - the demo's world where no real hosts can be had (sourced by run).
KIND=simulated SPEED=20
TARGET=lab/demo/target-simulated.yaml POLICY=${EVENKEEL_DEMO_POLICY:-lab/demo/policy.yaml}
SERVE=(bin/evenkeel serve --simulated "$OUT/world.sock")
SINK=(bin/smtpsink)

need_packages() { note "simulated hosts need none"; }

world_up() {
  phase "Starting three simulated hosts with twelve instances, $SPEED times as fast as real ones"
  begin world bin/evenkeel simulate --fleet lab/demo/fleet-simulated.yaml --socket "$OUT/world.sock" --log "$OUT/world.jsonl" --speed $SPEED
  wait_for 10 test -S "$OUT/world.sock" || give_up "the simulated world does not start: see $OUT/world.log"
}

world_fleet() {
  phase "Reading the fleet from lab/demo/fleet-simulated.yaml"
  cp lab/demo/fleet-simulated.yaml "$OUT/fleet.yaml"
}

world_verdict() { # FINDINGS
  bin/labwitness simulated -fleet "$OUT/fleet.yaml" -log "$OUT/world.jsonl" -speed $SPEED -mails "$OUT/mails" -findings "$1" -out "$OUT/witness.json"
}

world_counts() { note "the simulated world's own log: $OUT/world.jsonl"; }

world_left() {
  note "still running: the simulated world, the server and the mail server; try"
  note "    bin/evenkeel status --server unix:$OUT/state/evenkeel.sock"
}
