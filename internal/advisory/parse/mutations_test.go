package parse

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	mutations    = flag.Int("mutations", 20_000, "how many broken documents TestMutations reads")
	mutationSeed = flag.Uint64("mutation-seed", 1, "from which they are drawn")
)

// seeds are small documents of each format, by name.
var seeds = map[string]string{
	"osv.json": qemuOSV, "osvs.json": `{"vulns": [` + qemuOSV + `]}`, "CVE-2022-1000.json": "[" + alpinePart("xen", alpineFix) + "]",
	"xsa901.meta": xenMeta, "xenserver.xml": xenserverXML, "yum.xml": yumXML,
	"csaf.json": `{
  "document": {
    "category": "csaf_vex", "csaf_version": "2.0", "title": "A flaw in a hypervisor", "lang": "en",
    "publisher": {"category": "vendor", "name": "Distro", "namespace": "https://distro.example"},
    "tracking": {
      "id": "DISTRO-2026-1", "status": "final", "version": "1.0.0",
      "initial_release_date": "2026-01-01T00:00:00Z", "current_release_date": "2026-01-02T00:00:00Z",
      "revision_history": [{"number": "1.0.0", "date": "2026-01-01T00:00:00Z", "summary": "first"}]
    }
  },
  "product_tree": {
    "branches": [{"category": "vendor", "name": "Distro", "branches": [
      {"category": "product_name", "name": "Distro 9", "product": {"name": "Distro 9", "product_id": "D9", "product_identification_helper": {"cpe": "cpe:/o:rocky:linux:9"}}},
      {"category": "product_version", "name": "xen-4.17.5-3", "product": {"name": "xen-4.17.5-3", "product_id": "xen-4.17.5-3", "product_identification_helper": {"purl": "pkg:rpm/rocky/xen@4.17.5-3?arch=x86_64"}}}
    ]}],
    "relationships": [{"category": "default_component_of", "product_reference": "xen-4.17.5-3", "relates_to_product_reference": "D9", "full_product_name": {"name": "xen on 9", "product_id": "D9:xen"}}]
  },
  "vulnerabilities": [{
    "cve": "CVE-2026-1000",
    "notes": [{"category": "description", "text": "words"}],
    "product_status": {"fixed": ["D9:xen"]},
    "remediations": [{"category": "vendor_fix", "details": "update", "product_ids": ["D9:xen"], "restart_required": {"category": "system"}}]
  }]
}`,
	"nvd.json": `{
  "resultsPerPage": 1, "startIndex": 0, "totalResults": 1, "format": "NVD_CVE", "version": "2.0", "timestamp": "2026-01-02T00:00:00.000",
  "vulnerabilities": [{"cve": {
    "id": "CVE-2026-1000", "sourceIdentifier": "security@xen.example", "published": "2026-01-01T00:15:00.000", "lastModified": "2026-01-02T00:15:00.000", "vulnStatus": "Analyzed",
    "descriptions": [{"lang": "en", "value": "words"}],
    "metrics": {"cvssMetricV31": [{"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"version": "3.1", "vectorString": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "baseScore": 8.8, "baseSeverity": "HIGH"}}]},
    "configurations": [{"nodes": [{"operator": "OR", "negate": false, "cpeMatch": [
      {"vulnerable": true, "criteria": "cpe:2.3:o:xen:xen:*:*:*:*:*:*:x86:*", "versionStartIncluding": "4.12", "versionEndExcluding": "4.17.5", "matchCriteriaId": "00000000-0000-0000-0000-000000000000"}
    ]}]}],
    "references": []
  }}]
}`,
	"cve.json": `{
  "dataType": "CVE_RECORD", "dataVersion": "5.1",
  "cveMetadata": {"cveId": "CVE-2026-1000", "assignerOrgId": "00000000-0000-4000-9000-000000000000", "state": "PUBLISHED", "datePublished": "2026-01-01T00:00:00.000Z", "dateUpdated": "2026-01-02T00:00:00.000Z"},
  "containers": {"cna": {
    "providerMetadata": {"orgId": "00000000-0000-4000-9000-000000000000", "dateUpdated": "2026-01-02T00:00:00.000Z"},
    "title": "A flaw in a hypervisor",
    "descriptions": [{"lang": "en", "value": "words"}],
    "affected": [{"vendor": "Xen", "product": "Xen", "defaultStatus": "unaffected", "versions": [{"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "custom"}]}],
    "references": [{"url": "https://xen.example/xsa/advisory-901.html"}]
  }}
}`,
	"own.yaml": `evenkeel: advisory/v1
id: XSA-901
aliases: [CVE-2026-1000]
disclosure: 2026-03-01T12:00:00Z
embargo_deploy: mitigations
affected:
  - ecosystem: upstream
    package: xen
    ranges:
      - type: ECOSYSTEM
        events:
          - introduced: "4.1"
          - fixed: 4.17.5
applies:
  - guest_types: [hvm]
    arch: [x86_64]
mitigations:
  - text: run guests as PV
    config: {type: pv}
`,
}

// TestSeeds: the documents that are broken below are whole.
func TestSeeds(t *testing.T) {
	for name, src := range seeds {
		if out := must(t, name, src); len(out) != 1 || len(out[0].Affected) == 0 {
			t.Errorf("%s: %+v", name, out)
		}
		hold(t, name, []byte(src))
	}
}

// TestMutations breaks documents of all formats in many ways: none may end in a panic, and each
// mistake has its place.
func TestMutations(t *testing.T) {
	from := maps.Clone(seeds)
	if os.Getenv("EVENKEEL_CORPUS") != "" {
		for name, src := range corpus(t) {
			from[name] = string(src)
		}
	}
	names := slices.Sorted(maps.Keys(from))
	pieces := map[string][][2]int{}
	for name, src := range from {
		pieces[name] = piecesOf(src)
	}
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for i := w; i < *mutations && !t.Failed(); i += workers {
				r := rand.New(rand.NewPCG(*mutationSeed, uint64(i)))
				name := names[r.IntN(len(names))]
				other := from[names[r.IntN(len(names))]]
				if err := survives(name, mutate(r, from[name], other, pieces[name])); err != nil {
					t.Errorf("mutation %d of seed %d, of %s: %v", i, *mutationSeed, name, err)
				}
			}
		})
	}
	wait.Wait()
}

// survives gives what a document broke, with the document.
func survives(name string, src []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n%q\n%s", p, src, debug.Stack())
		}
	}()
	hold(&stop{}, name, src)
	return nil
}

// stop turns a failure into a panic, so that it is told together with the document.
type stop struct{ testing.TB }

func (*stop) Helper()                      {}
func (*stop) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (*stop) Fatalf(form string, a ...any) { panic(fmt.Sprintf(form, a...)) }

// A piece is what a document is made of: a text, a number, a word, a tag, a line of YAML.
var piece = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|</?[^<>]*>|[A-Za-z_-]+|[{}\[\],:]`)

func piecesOf(src string) (out [][2]int) {
	for _, at := range piece.FindAllStringIndex(src, -1) {
		out = append(out, [2]int(at))
	}
	return out
}

// strange are values of other types, and texts that break what is careless.
var strange = []string{
	"null", "true", "7", "-1", "0", "1e999", "1.5", `""`, `"x"`, `"\u0000"`, `"\ud800"`, `"é\n"`, "{}", "[]", `[null]`, `{"":[{}]}`,
	`"` + strings.Repeat("9", 400) + `"`, `"2026-13-40T99:99:99Z"`, `"CVE-2026-1000"`, `"*"`, `"0"`, `"Debian:12"`, `"upstream"`, "<a>", "</update>", "<update/>", "&amp;", "&x;", "<!--",
	"- ", "\n", "\t", "'", "\x00", "\xff", "\xef\xbb\xbf", "\u2028",
}

// mutate breaks a document in one to six places.
func mutate(r *rand.Rand, src, other string, pieces [][2]int) []byte {
	out := []byte(src)
	for n := range 1 + r.IntN(6) {
		a, b := stretchOf(r, len(out), 1+r.IntN(64))
		if n == 0 && len(pieces) > 0 && r.IntN(3) > 0 { // the pieces are where they were: nothing moved yet
			at := pieces[r.IntN(len(pieces))]
			a, b = at[0], at[1]
		}
		out = change(r, out, other, a, b)
	}
	return out
}

// change breaks the bytes from a to b.
func change(r *rand.Rand, out []byte, other string, a, b int) []byte {
	switch r.IntN(8) {
	case 0: // flip a bit
		if a < b {
			out[a+r.IntN(b-a)] ^= 1 << r.IntN(8)
		}
		return out
	case 1: // cut out
		return slices.Delete(out, a, b)
	case 2: // cut off
		if r.IntN(4) == 0 {
			return out[:a]
		}
		return slices.Delete(out, a, b)
	case 3: // another type
		return slices.Replace(out, a, b, []byte(strange[r.IntN(len(strange))])...)
	case 4: // double
		return slices.Insert(out, b, slices.Clone(out[a:b])...)
	case 5: // double a line, and with it a key
		from, to := lineAround(out, a)
		return slices.Insert(out, to, slices.Clone(out[from:to])...)
	case 6: // splice from another document
		c, d := stretchOf(r, len(other), 1+r.IntN(256))
		return slices.Replace(out, a, b, []byte(other[c:d])...)
	}
	// move elsewhere
	moved := slices.Clone(out[a:b])
	out = slices.Delete(out, a, b)
	return slices.Insert(out, r.IntN(len(out)+1), moved...)
}

func stretchOf(r *rand.Rand, length, most int) (a, b int) {
	a = r.IntN(length + 1)
	return a, min(a+r.IntN(most+1), length)
}

func lineAround(out []byte, at int) (from, to int) {
	for from = at; from > 0 && out[from-1] != '\n'; from-- {
	}
	for to = at; to < len(out) && out[to] != '\n'; to++ {
	}
	return from, min(to+1, len(out))
}

// FuzzParse is for all formats at once.
func FuzzParse(f *testing.F) {
	for _, src := range seeds {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) { hold(t, "f CVE-2022-1000", src) })
}
