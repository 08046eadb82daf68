# shellcheck shell=bash
# world-xen.sh - the demo's world of real Xen hosts: the lab of lab/xen (sourced by xen).
# shellcheck disable=SC2034,SC2016  # the scripts that source this file use these; perl expands its own
. lab/xen/lab.env
KIND=xen LAB_KIND=xen ADVISORY=XSA-517 TENANT=acme
TARGET=$OUT/target.yaml POLICY=$OUT/policy.yaml
SERVE=(bin/evenkeel serve --ssh-key "$EVENKEEL_XEN_LAB/ssh/id" --known-hosts "$EVENKEEL_XEN_LAB/ssh/known_hosts"
  --payloads "$EVENKEEL_XEN_LAB/payloads/4.17.5" --out-of-band "$EVENKEEL_XEN_LAB/bin/power")
SINK=(bin/smtpsink)

need_packages() {
  local missing=() pair
  for pair in unshare:util-linux mount:mount perl:perl ssh:openssh-client dpkg-deb:dpkg; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} = 0 ] && { note "nothing is missing"; return; }
  note "apt-get install ${missing[*]}"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >"$OUT/apt.log" 2>&1 ||
    give_up "apt-get failed: see $OUT/apt.log"
}

# of_lab EXPRESSION: what lab.json says, $l being it
of_lab() { perl -MJSON::PP -e 'local $/; my $l = decode_json(<STDIN>); print eval $ARGV[0]' "$1" <"$EVENKEEL_XEN_LAB/lab.json"; }

world_up() {
  phase "Starting two real Xen hosts with PV and PVH guests (the first time this downloads Debian's Xen)"
  if [ "${XEN_LAB_RUNS:-0}" = 1 ]; then note "that of $EVENKEEL_XEN_LAB, which runs already"; else lab_up -n 2; fi
  export LIVE_PATCH=good
  sed -e "s|@BUILD@|$(of_lab '(grep { $_->{name} eq "good" && $_->{xen} eq "4.17.5" } @{$l->{payloads}})[0]{binds_to}')|" \
    -e "s|@SHA256@|$(of_lab '(grep { $_->{name} eq "good" && $_->{xen} eq "4.17.5" } @{$l->{payloads}})[0]{sha256}')|" \
    -e "s|@FIXED@|$(of_lab '$l->{xen_fixed}')|" -e "s|@ADVISORY@|$PWD/examples/xsa-517.yaml|" \
    -e "s|@TACTICS@|$XEN_TACTICS|" lab/demo/target-xen.yaml | sed -e "${XEN_TARGET_TOO:-}" >"$TARGET"
  sed -e "s|@TACTICS@|$XEN_TACTICS|" -e "s|@SOAK@|${XEN_SOAK:-5s}|" lab/demo/policy-xen.yaml | sed -e "${XEN_POLICY_TOO:-}" >"$POLICY"
  bin/labwitness mark-xen -lab "$EVENKEEL_XEN_LAB" -out "$OUT/mark.json"
  begin witness bin/labwitness follow -lab "$EVENKEEL_XEN_LAB" -out "$OUT/witness"
}

world_fleet() {
  phase "Discovering the fleet: asking each dom0 over ssh"
  discover "$OUT/fleet.yaml"
}
discover() { # FILE
  sed -e "s|@H1@|$(of_lab '$l->{hosts}[0]{uri}')|" -e "s|@H2@|$(of_lab '$l->{hosts}[1]{uri}')|" lab/demo/base-xen.yaml >"$OUT/base.yaml"
  expect 0 bin/evenkeel fleet discover --base "$OUT/base.yaml" --timeout 3m \
    --ssh-key "$EVENKEEL_XEN_LAB/ssh/id" --known-hosts "$EVENKEEL_XEN_LAB/ssh/known_hosts" --out "$1"
}

world_verdict() { # FINDINGS
  end witness
  bin/labwitness xen -lab "$EVENKEEL_XEN_LAB" -fleet "$OUT/fleet.yaml" -mark "$OUT/mark.json" -boots "${XEN_BOOTS:-1}" ${XEN_PATCH:+-patch "$XEN_PATCH"} -follow "$OUT/witness" \
    -mails "$OUT/mails" -findings "$1" -out "$OUT/witness.json"
}

world_counts() {
  note "what the witness saw of each guest (pauses timed from outside, in ms):"
  perl -MJSON::PP -e 'local $/; my $s = decode_json(<STDIN>);
    for (@{$s->{guests}}) { printf "            %-4s %-14s ticks %5d  lost %d  restarts %d  longest pause %6d\n",
      $_->{guest}, join(">", @{$_->{hosts}}), $_->{ticks}, $_->{lost}, $_->{restarts}, $_->{largest_gap_ms} }' <"$OUT/witness/summary.json"
}

world_left() {
  note "still running: the lab ($EVENKEEL_XEN_LAB), the server and the mail server; try"
  note "    bin/evenkeel status --server unix:$OUT/state/evenkeel.sock"
  note "    $EVENKEEL_XEN_LAB/bin/ssh h1 xl list"
}
