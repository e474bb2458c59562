package audit_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/audit"
)

func TestText(t *testing.T) {
	is := is.New(t)
	report := audit.Report{
		Messages: 120, Reports: 40, Aggregates: 3, Newest: 121, Found: 2,
		Rollouts: []*audit.Rollout{
			{
				Deployment: "01K9M5N8Q2V4X6Z8B0D2F4H6J8", Name: "hello", Strategy: "rolling", Target: 4, Floor: 4, Outcome: "DEPLOYED",
				Decisions: 8, TookMS: 3210, Lowest: &audit.Low{Old: 3, New: 1, At: 57}, Judged: true,
			},
			{
				Deployment: "01K9M6C3E5G7J9M1P3R5T7W9Y1", Name: "pay\x1bments", Strategy: "rolling", Target: 12, Floor: 10, Outcome: "CANCELED",
				TookMS: 900, Lowest: &audit.Low{Old: 9, At: 99}, BelowMS: 250, Judged: true, Breaches: 1,
			},
			{Deployment: "d", Name: "", Strategy: "rolling", Outcome: "ACTIVE", BelowMS: 10, Below: true},
		},
		Breaches: []audit.Breach{
			{Law: audit.LawCapacity, Sequence: 99, Subject: "events.app.a", Problem: "it \x07falls"},
			{Law: audit.LawSequence, Sequence: 121, Problem: "sequences 120 to 120 are missing"},
		},
	}
	var out strings.Builder
	is.NoErr(report.WriteText(&out))
	is.Equal(out.String(), `APP        DEPLOYMENT                  STRATEGY  OUTCOME   DECISIONS  TOOK   TARGET  FLOOR  LOWEST                   BELOW FLOOR         VERDICT
hello      01K9M5N8Q2V4X6Z8B0D2F4H6J8  rolling   DEPLOYED  8          3.21s  4       4      4 (3 old + 1 new) at 57  -                   ok
pay?ments  01K9M6C3E5G7J9M1P3R5T7W9Y1  rolling   CANCELED  0          900ms  12      10     9 (9 old + 0 new) at 99  250ms, restored     BREACH
-          d                           rolling   ACTIVE    0          0s     0       0      -                        10ms, not restored  not judged

BREACH of capacity at sequence 99, events.app.a: it ?falls
BREACH of sequence at sequence 121, -: sequences 120 to 120 are missing

120 messages up to sequence 121: 3 aggregates, 40 reports of agents, 3 rollouts; breaches: 2
`)
	report.Found, report.Unjudged = 5000, 3
	out.Reset()
	is.NoErr(report.WriteText(&out))
	is.True(strings.HasSuffix(out.String(), "3 decisions not judged, too many reports raced with them; 5000 breaches, the first 2 shown\n"))
	out.Reset()
	is.NoErr(audit.Report{}.WriteText(&out))
	is.Equal(out.String(), "\n0 messages up to sequence 0: 0 aggregates, 0 reports of agents, 0 rollouts; no breach\n")
}

// refusing is a writer that takes so many writes.
type refusing int

func (w *refusing) Write(p []byte) (int, error) {
	if *w--; *w < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

// TestTextThatCannotBeWritten: half a report must not pass for one.
func TestTextThatCannotBeWritten(t *testing.T) {
	report := audit.Report{Rollouts: []*audit.Rollout{{}}, Breaches: []audit.Breach{{}}}
	for n := 0; ; n++ {
		w := refusing(n)
		if report.WriteText(&w) == nil {
			is.New(t).True(n >= 3) // table, breach, summary
			return
		}
	}
}

func TestJSON(t *testing.T) {
	is := is.New(t)
	data, err := json.Marshal(rolled(t).verify())
	is.NoErr(err)
	var back audit.Report
	is.NoErr(json.Unmarshal(data, &back))
	is.Equal(len(back.Rollouts), 2)
	is.Equal(back.Rollouts[1].Lowest.Total(), 3)
	is.True(strings.Contains(string(data), `"below_ms":0`))
}
