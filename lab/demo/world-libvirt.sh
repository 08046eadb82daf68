# shellcheck shell=bash
# world-libvirt.sh - the demo's world of real hosts: the lab of lab/libvirt (sourced by run).
. lab/libvirt/lab.env
KIND=libvirt
EVENKEEL() { ip netns exec "$MGMT" bin/evenkeel "$@"; } # from where the hosts are reached
TARGET=${EVENKEEL_DEMO_TARGET:-lab/demo/target.yaml} POLICY=${EVENKEEL_DEMO_POLICY:-lab/demo/policy.yaml}
SERVE=(ip netns exec "$MGMT" bin/evenkeel serve --ssh-key "$EVENKEEL_LAB/ssh/id" --known-hosts "$EVENKEEL_LAB/ssh/known_hosts")
SINK=(ip netns exec "$MGMT" bin/smtpsink)

need_packages() {
  local missing=() pair
  for pair in ip:iproute2 unshare:util-linux mount:mount perl:perl ssh-keygen:openssh-client dpkg-deb:dpkg; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
  [ ${#missing[@]} = 0 ] && { note "nothing is missing"; return; }
  note "apt-get install ${missing[*]}"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >"$OUT/apt.log" 2>&1 ||
    give_up "apt-get failed: see $OUT/apt.log"
}

world_up() {
  phase "Starting three libvirt hosts with twelve guests (the first time this downloads a small Debian)"
  lab_up -n 3 -g 12
  bin/labwitness mark -lab "$EVENKEEL_LAB" -out "$OUT/mark.json"
  begin witness bin/labwitness follow -lab "$EVENKEEL_LAB" -out "$OUT/witness"
}

world_fleet() {
  phase "Discovering the fleet: asking each host over libvirt and ssh"
  local uris=() h
  for h in $(hosts); do uris+=("qemu+tcp://$(haddr "$h")/system"); done
  expect 0 EVENKEEL fleet discover "${uris[@]}" --base lab/demo/base.yaml --pool kvm \
    --ssh-key "$EVENKEEL_LAB/ssh/id" --known-hosts "$EVENKEEL_LAB/ssh/known_hosts" --out "$OUT/fleet.yaml"
}

world_verdict() { # FINDINGS
  end witness
  bin/labwitness "${EVENKEEL_DEMO_VERDICT:-verdict}" -lab "$EVENKEEL_LAB" -mark "$OUT/mark.json" -follow "$OUT/witness" -mails "$OUT/mails" \
    -findings "$1" -out "$OUT/witness.json"
}

world_counts() {
  note "what the witness saw of each guest (pauses timed from outside, in ms):"
  perl -MJSON::PP -e 'local $/; my $s = decode_json(<STDIN>);
    for (@{$s->{guests}}) { printf "            %-4s %-14s ticks %5d  lost %d  restarts %d  longest pause %5d\n",
      $_->{guest}, join(">", @{$_->{hosts}}), $_->{ticks}, $_->{lost}, $_->{restarts}, $_->{largest_gap_ms} }' <"$OUT/witness/summary.json"
}

world_left() {
  note "still running: the lab ($EVENKEEL_LAB), the server and the mail server; try"
  note "    bin/evenkeel status --server unix:$OUT/state/evenkeel.sock"
  note "    lab/libvirt/virsh h1 list"
}
