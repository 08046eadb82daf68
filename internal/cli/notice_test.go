package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/plan"
)

var previewNow = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// previewPlan touches acme by an outage and birch by a blip; cedar is left alone. Its advisory is
// disclosed two days after previewNow.
func previewPlan() plan.Plan {
	f := &fleet.Fleet{
		Tenants: []fleet.Tenant{
			{ID: "acme", Timezone: "Europe/Berlin", Contacts: []fleet.Contact{{Email: "ops@acme.example"}, {Email: "boss@acme.example"}}},
			{ID: "birch", Contacts: []fleet.Contact{{Email: "it@birch.example"}}},
			{ID: "cedar", Contacts: []fleet.Contact{{Email: "root@cedar.example"}}},
		},
		Instances: []fleet.Instance{{ID: "web-1", Host: "kvm-1", Tenant: "acme", MemoryMiB: 64}, {ID: "shop", Host: "kvm-1", Tenant: "birch", MemoryMiB: 64}},
	}
	start := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC) // Berlin's clocks go forward inside the slot
	slot := func(instance, tenant string, d plan.Disposition, expected, worst int64) plan.Slot {
		return plan.Slot{ID: "kvm-1/" + instance, Instance: instance, Tenant: tenant, Turn: "kvm-1", Class: plan.ClassOf(d), Disposition: d,
			Start: start, End: start.Add(2 * time.Hour), ExpectedMs: expected, WorstMs: worst}
	}
	p := plan.Plan{
		Evenkeel: plan.SchemaV1, Campaign: "spring", Revision: 1, Public: "Maintenance of hosts", Fleet: f, Policy: plan.DefaultPolicy(),
		Target: &plan.Target{ID: "t1", Fixes: []string{"CVE-2026-4242"}, Disclosure: previewNow.Add(48 * time.Hour)},
		Slots:  []plan.Slot{slot("web-1", "acme", plan.DispStop, 300_000, 1_200_000), slot("shop", "birch", plan.DispLiveMigrate, 300, 5000)},
	}
	p.Policy.Contact = "maintenance@operator.example"
	return p
}

// writePlan seals a plan and writes it to a file.
func writePlan(t *testing.T, p plan.Plan) string {
	t.Helper()
	if p.Fleet != nil {
		p.FleetDigest = plan.FleetDigest(p.Fleet)
	}
	p.Digest = plan.Digest(p)
	var b bytes.Buffer
	if err := plan.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func runPreview(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	app := &App{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(string) string { return "" }, Now: func() time.Time { return previewNow }}
	return Main(context.Background(), app, append([]string{"notice", "preview"}, args...)), o.String(), e.String()
}

// What is printed is what the server would send when the plan is applied at that moment.
func TestNoticePreviewIsTheMail(t *testing.T) {
	path := writePlan(t, previewPlan())
	p, err := loadPlan(&App{}, path)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := runPreview("--plan", path)
	code, out, errs := runPreview("--plan", path, "-o", "json")
	if code != ExitNothing || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var mails []previewed
	if err := json.Unmarshal([]byte(out), &mails); err != nil || len(mails) != 2 {
		t.Fatalf("%v in %s", err, out)
	}
	for i, want := range []struct{ tenant, to, slot string }{{"acme", "ops@acme.example", "kvm-1/web-1"}, {"birch", "it@birch.example", "kvm-1/shop"}} {
		n, err := notice.Build(p, p.Fleet, notice.Scheduled, want.tenant, []string{want.slot}, previewNow, notice.Extra{})
		if err != nil {
			t.Fatal(err)
		}
		sent, err := notice.Render(n, previewNow)
		if err != nil {
			t.Fatal(err)
		}
		m := mails[i]
		if m.Tenant != want.tenant || m.To != want.to || m.Notice != n.ID || m.Message == nil || m.Subject != sent.Subject || m.Text != sent.Text || m.HTML != sent.HTML || m.MessageID != sent.MessageID {
			t.Errorf("%s: %+v is not the mail %+v", want.tenant, m, sent)
		}
		if !strings.Contains(text, "To: "+want.to+"\nSubject: "+sent.Subject+"\nMessage-ID: <"+sent.MessageID+">\n\n"+sent.Text) {
			t.Errorf("%s: the text form lacks the mail:\n%s", want.tenant, text)
		}
		if code, page, _ := runPreview("--plan", path, "--tenant", want.tenant, "-o", "html"); code != ExitNothing || page != sent.HTML {
			t.Errorf("%s: exit %d, page\n%s", want.tenant, code, page)
		}
	}
	if strings.Contains(text+out, "4242") {
		t.Error("an advisory is named before its disclosure")
	}
	if _, later, _ := runPreview("--plan", path, "--now", "2026-03-03T09:00:00Z"); !strings.Contains(later, "Fixes: CVE-2026-4242") {
		t.Errorf("an advisory is not named at its disclosure:\n%s", later)
	}
}

func TestNoticePreviewOneTenant(t *testing.T) {
	path := writePlan(t, previewPlan())
	code, out, errs := runPreview("--plan", path, "--tenant", "birch")
	if code != ExitNothing || errs != "" || strings.Contains(out, "web-1") || !strings.Contains(out, "mail 1 of 1, to tenant birch") {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
	if code, out, errs := runPreview("--plan", path, "--tenant", "cedar"); code != ExitNothing || out != "" || !strings.Contains(errs, "no mail") {
		t.Errorf("cedar is not touched: exit %d, %s\n%s", code, errs, out)
	}
	if code, out, _ := runPreview("--plan", path, "--tenant", "cedar", "-o", "json"); code != ExitNothing || out != "[]\n" {
		t.Errorf("cedar is not touched: exit %d\n%s", code, out)
	}
}

// A tenant that cannot be told is a refusal; the others' mails are shown all the same.
func TestNoticePreviewUnsendable(t *testing.T) {
	p := previewPlan()
	p.Fleet.Tenants[1].Contacts = nil
	path := writePlan(t, p)
	code, out, errs := runPreview("--plan", path)
	if code != ExitRefused || !strings.Contains(errs, `tenant birch cannot be told: tenant "birch" has no contact`) || !strings.Contains(out, "to tenant acme") || strings.Contains(out, "shop") {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
	_, out, _ = runPreview("--plan", path, "-o", "json")
	var mails []previewed
	if err := json.Unmarshal([]byte(out), &mails); err != nil || len(mails) != 2 || mails[1].Message != nil || len(mails[1].Unsendable) != 1 || len(mails[0].Unsendable) != 0 {
		t.Errorf("%v in %s", err, out)
	}
}

func TestNoticePreviewFleet(t *testing.T) {
	p := previewPlan()
	file := filepath.Join(t.TempDir(), "fleet.json")
	text := `{"evenkeel": "fleet/v1", "taken": "2026-03-01T08:00:00Z", "tenants": [
 {"id": "acme", "contacts": [{"email": "new@acme.example"}]}, {"id": "birch", "contacts": [{"email": "it@birch.example"}]}]}`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runPreview("--plan", writePlan(t, p), "--fleet", file)
	if code != ExitNothing || !strings.Contains(out, "To: new@acme.example") || !strings.Contains(errs, "not the fleet that the plan was made from") {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
	p.Fleet = nil
	if code, _, errs := runPreview("--plan", writePlan(t, p)); code != ExitError || !strings.Contains(errs, "--fleet") {
		t.Errorf("a plan without a fleet: exit %d, %s", code, errs)
	}
}

func TestNoticePreviewErrors(t *testing.T) {
	good := writePlan(t, previewPlan())
	src, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(old, new string) string {
		if !bytes.Contains(src, []byte(old)) {
			t.Fatalf("the plan's text has no %s", old)
		}
		path := filepath.Join(t.TempDir(), "bad.json")
		if err := os.WriteFile(path, bytes.Replace(src, []byte(old), []byte(new), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		says string
		args []string
	}{
		{`required flag(s) "plan"`, nil},
		{"no such file", []string{"--plan", good + ".gone"}},
		{"use text, html or json", []string{"--plan", good, "-o", "yaml"}},
		{"expected the id of a tenant", []string{"--plan", good, "--tenant", "nobody"}},
		{"--now: found", []string{"--plan", good, "--now", "tomorrow"}},
		{"choose with --tenant (acme, birch)", []string{"--plan", good, "-o", "html"}},
		{"line 2, column", []string{"--plan", bad(`"evenkeel": "plan/v1"`, `"evenkeel": plan/v1`)}},
		{`found "plan/v9"`, []string{"--plan", bad("plan/v1", "plan/v9")}},
		{`unknown field "slotz"`, []string{"--plan", bad(`"slots"`, `"slotz"`)}},
		{"the plan was changed after it was made", []string{"--plan", bad("1200000", "1200001")}},
	} {
		code, out, errs := runPreview(c.args...)
		if code != ExitError || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%q: exit %d, %q, want an error that says %q\n%s", c.args, code, errs, c.says, out)
		}
	}
}
