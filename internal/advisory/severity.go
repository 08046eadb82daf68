package advisory

import (
	"math"
	"slices"
	"strings"
)

// Severity is how bad an advisory is by its own document, in the four words that all of them can be put in.
type Severity string

// The severities, the least first. Documents that say none, as Xen's do, leave it empty.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Rank orders severities from 1 to 4. One that is not said ranks as medium: nobody knows it to be harmless.
func (s Severity) Rank() int {
	switch s {
	case Low:
		return 1
	case High:
		return 3
	case Critical:
		return 4
	}
	return 2
}

// worst is the worse of two; one that is said outweighs one of the same rank that is not.
func worst(a, b Severity) Severity {
	if b.Rank() > a.Rank() || b.Rank() == a.Rank() && a == "" {
		return b
	}
	return a
}

// vendorWords are those of Red Hat, Microsoft, SUSE, Debian and Ubuntu beside CVSS's own ratings.
var vendorWords = map[string]Severity{
	"critical": Critical, "high": High, "important": High, "medium": Medium, "moderate": Medium,
	"low": Low, "negligible": Low, "unimportant": Low, "none": Low,
}

// SeverityOf reads what a document says: a vendor's word, or a vector of CVSS 3 or 2, whose base score is rated as
// FIRST and NVD do. Empty: nothing is said, or something else, such as a vector of CVSS 4, whose score is no sum.
func SeverityOf(text string) Severity {
	text = strings.TrimSpace(text)
	if s, ok := vendorWords[strings.ToLower(text)]; ok {
		return s
	}
	metrics := metricsOf(text)
	if strings.HasPrefix(text, "CVSS:3.") {
		if score, ok := cvss3(metrics); ok {
			return rated(score, 9)
		}
		return ""
	}
	if strings.HasPrefix(text, "CVSS:") {
		return ""
	}
	if score, ok := cvss2(metrics); ok {
		return rated(score, math.Inf(1)) // CVSS 2 knows nothing above high
	}
	return ""
}

func rated(score, critical float64) Severity {
	switch {
	case score >= critical:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	}
	return Low
}

func metricsOf(vector string) map[string]string {
	m := map[string]string{}
	for _, part := range strings.Split(strings.Trim(vector, "()"), "/") {
		if name, value, ok := strings.Cut(part, ":"); ok {
			m[name] = value
		}
	}
	return m
}

// weights gives the weight of each metric's value, in the order of names; not ok: one is missing.
func weights(metrics map[string]string, of map[string]map[string]float64, names ...string) (out []float64, ok bool) {
	for _, n := range names {
		w, known := of[n][metrics[n]]
		if !known {
			return nil, false
		}
		out = append(out, w)
	}
	return out, true
}

// Weights of CVSS 3.0 and 3.1 (FIRST, CVSS v3.1 specification, 7.4), for an unchanged scope.
var cvss3Weights = map[string]map[string]float64{
	"AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
	"AC": {"L": 0.77, "H": 0.44},
	"PR": {"N": 0.85, "L": 0.62, "H": 0.27},
	"UI": {"N": 0.85, "R": 0.62},
	"C":  {"H": 0.56, "L": 0.22, "N": 0}, "I": {"H": 0.56, "L": 0.22, "N": 0}, "A": {"H": 0.56, "L": 0.22, "N": 0},
}

// cvss3 is the base score of CVSS 3.1 (the same specification, 7.1).
func cvss3(m map[string]string) (score float64, ok bool) {
	x, ok := weights(m, cvss3Weights, "AV", "AC", "PR", "UI", "C", "I", "A")
	if !ok || !slices.Contains([]string{"U", "C"}, m["S"]) {
		return 0, false
	}
	changed := m["S"] == "C"
	if changed { // privileges weigh more where another scope is reached
		switch m["PR"] {
		case "L":
			x[2] = 0.68
		case "H":
			x[2] = 0.5
		}
	}
	lost := 1 - (1-x[4])*(1-x[5])*(1-x[6])
	impact, exploit := 6.42*lost, 8.22*x[0]*x[1]*x[2]*x[3]
	if changed {
		impact = 7.52*(lost-0.029) - 3.25*math.Pow(lost-0.02, 15)
	}
	if impact <= 0 {
		return 0, true
	}
	sum := impact + exploit
	if changed {
		sum *= 1.08
	}
	whole := math.Round(min(sum, 10) * 100000) // rounded up to tenths, without the errors of floating point (appendix A)
	return math.Ceil(whole/10000) / 10, true
}

// Weights of CVSS 2 (FIRST, CVSS v2 complete guide, 3.2.1).
var cvss2Weights = map[string]map[string]float64{
	"AV": {"L": 0.395, "A": 0.646, "N": 1},
	"AC": {"H": 0.35, "M": 0.61, "L": 0.71},
	"Au": {"M": 0.45, "S": 0.56, "N": 0.704},
	"C":  {"N": 0, "P": 0.275, "C": 0.66}, "I": {"N": 0, "P": 0.275, "C": 0.66}, "A": {"N": 0, "P": 0.275, "C": 0.66},
}

func cvss2(m map[string]string) (score float64, ok bool) {
	x, ok := weights(m, cvss2Weights, "AV", "AC", "Au", "C", "I", "A")
	if !ok {
		return 0, false
	}
	impact := 10.41 * (1 - (1-x[3])*(1-x[4])*(1-x[5]))
	if impact == 0 {
		return 0, true
	}
	return math.Round((0.6*impact+0.4*20*x[0]*x[1]*x[2]-1.5)*1.176*10) / 10, true
}
