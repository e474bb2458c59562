package clients

import (
	"fmt"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appconfig"
	"github.com/aws/aws-sdk-go-v2/service/appconfig/types"
)

type (
	create = appconfig.CreateDeploymentStrategyInput
	update = appconfig.UpdateDeploymentStrategyInput
)

// predefined are AppConfig's own strategies: duration, growth, factor, bake.
var predefined = []struct {
	id       string
	duration int32
	growth   types.GrowthType
	factor   float32
	bake     int32
}{
	{"AppConfig.AllAtOnce", 0, types.GrowthTypeLinear, 100, 10},
	{"AppConfig.Linear50PercentEvery30Seconds", 1, types.GrowthTypeLinear, 50, 1},
	{"AppConfig.Canary10Percent20Minutes", 20, types.GrowthTypeExponential, 10, 10},
	{"AppConfig.Linear20PercentEvery6Minutes", 30, types.GrowthTypeLinear, 20, 30},
}

// appConfigCase is one row of AppConfig's table of conformance.
type appConfigCase struct {
	name string
	run  func(*sdk)
}

// appConfigCases are the cases 1 to 36, in the order of the table.
var appConfigCases = []appConfigCase{
	{"01 create with the least", func(w *sdk) {
		out := w.creates(func(in *create) { in.FinalBakeTimeInMinutes = 0 })
		w.True(strategyID.MatchString(*out.Id))
		w.Equal(out.GrowthType, types.GrowthTypeLinear)
		w.Equal(out.ReplicateTo, types.ReplicateToNone)
		w.Equal([]int32{out.DeploymentDurationInMinutes, out.FinalBakeTimeInMinutes}, []int32{15, 0})
		w.Equal(*out.GrowthFactor, float32(25))
	}},
	{"02 create with all", func(w *sdk) {
		out := w.creates(func(in *create) {
			in.GrowthType, in.GrowthFactor, in.FinalBakeTimeInMinutes = types.GrowthTypeExponential, aws.Float32(2), 20
			in.Description, in.ReplicateTo = aws.String("slow"), types.ReplicateToSsmDocument
		})
		w.Equal(out.GrowthType, types.GrowthTypeExponential)
		w.Equal(*out.GrowthFactor, float32(2))
		w.Equal(out.FinalBakeTimeInMinutes, int32(20))
		w.Equal(*out.Description, "slow")
		w.Equal(out.ReplicateTo, types.ReplicateToSsmDocument)
	}},
	{"03 the same name twice", func(w *sdk) {
		first, second := w.creates(nil), w.creates(nil)
		w.True(*first.Id != *second.Id) // two strategies
	}},
	{"04 at once", func(w *sdk) {
		out := w.creates(func(in *create) { in.DeploymentDurationInMinutes, in.GrowthFactor = aws.Int32(0), aws.Float32(100) })
		w.Equal(out.DeploymentDurationInMinutes, int32(0))
	}},
	{"05 a duration of more than a day", func(w *sdk) {
		w.refuses("deploymentDurationInMinutes", func(in *create) { in.DeploymentDurationInMinutes = aws.Int32(1441) })
	}},
	{"06 a negative duration", func(w *sdk) {
		w.refuses("deploymentDurationInMinutes", func(in *create) { in.DeploymentDurationInMinutes = aws.Int32(-1) })
	}},
	{"07 a bake of more than a day", func(w *sdk) {
		w.refuses("finalBakeTimeInMinutes", func(in *create) { in.FinalBakeTimeInMinutes = 1441 })
	}},
	{"08 factors out of range", func(w *sdk) {
		for _, factor := range []float32{0.5, 100.1} {
			w.refuses("growthFactor", func(in *create) { in.GrowthFactor = &factor })
		}
	}},
	{"09 factors in range", func(w *sdk) {
		for _, factor := range []float32{1, 100, 33.3} {
			w.Equal(*w.creates(func(in *create) { in.GrowthFactor = &factor }).GrowthFactor, factor)
		}
	}},
	{"10 a factor that is no number", func(w *sdk) {
		w.refuses("growthFactor", func(in *create) { in.GrowthFactor = aws.Float32(float32(math.NaN())) })
	}},
	{"11 an unknown growth", func(w *sdk) {
		w.refuses("growthType", func(in *create) { in.GrowthType = "CUBIC" })
	}},
	{"12 names too long and empty", func(w *sdk) {
		w.refuses("name", func(in *create) { in.Name = aws.String(strings.Repeat("x", 65)) })
		w.refuses("name", func(in *create) { in.Name = aws.String("") })
	}},
	{"13 descriptions", func(w *sdk) {
		w.refuses("description", func(in *create) { in.Description = aws.String(strings.Repeat("x", 1025)) })
		w.creates(func(in *create) { in.Description = aws.String(strings.Repeat("x", 1024)) })
	}},
	{"14 no name", func(w *sdk) {
		_, err := w.CreateDeploymentStrategy(w.t.Context(), creation(func(in *create) { in.Name = nil }))
		w.True(err != nil && strings.Contains(err.Error(), "missing required field")) // the SDK says so itself
		got := w.raw("POST", "/deploymentstrategies", `{"DeploymentDurationInMinutes":1,"GrowthFactor":1}`)
		w.Equal(got.status, 400)
		w.Equal(got.exception, "BadRequestException")
	}},
	{"15 51 tags", func(w *sdk) {
		w.refuses("tags", func(in *create) {
			in.Tags = map[string]string{}
			for n := range 51 {
				in.Tags[fmt.Sprint(n)] = ""
			}
		})
	}},
	{"16 the 21st strategy", func(w *sdk) {
		for range 20 {
			w.creates(nil)
		}
		_, err := w.CreateDeploymentStrategy(w.t.Context(), creation(nil))
		refused[*types.ServiceQuotaExceededException](w, err, 402, "20")
	}},
	{"17 an empty description", func(w *sdk) {
		out := w.creates(func(in *create) { in.Description = aws.String("") })
		w.True(out.Description != nil)
		w.Equal(*out.Description, "")
		w.True(w.gets(*out.Id).Description == nil)
	}},
	{"18 get an unknown one", func(w *sdk) { w.unknown("zzzzzzz") }},
	{"19 get an unknown predefined one", func(w *sdk) { w.unknown("AppConfig.NotARealStrategy") }},
	{"20 get no id", func(w *sdk) {
		_, err := w.GetDeploymentStrategy(w.t.Context(), &appconfig.GetDeploymentStrategyInput{DeploymentStrategyId: aws.String("ABC")})
		refused[*types.BadRequestException](w, err, 400, "deploymentStrategyId")
	}},
	{"21 get the predefined ones", func(w *sdk) {
		for _, p := range predefined {
			got := w.gets(p.id)
			w.Equal([]int32{got.DeploymentDurationInMinutes, got.FinalBakeTimeInMinutes}, []int32{p.duration, p.bake})
			w.Equal(got.GrowthType, p.growth)
			w.Equal(*got.GrowthFactor, p.factor)
			w.Equal([]string{*got.Name, string(got.ReplicateTo)}, []string{p.id, "NONE"})
		}
	}},
	{"22 list the own ones before the predefined", func(w *sdk) {
		want := w.ownAndPredefined(2)
		w.Equal(w.list(0), want)
	}},
	{"23 pages of one", func(w *sdk) {
		want := w.ownAndPredefined(3)
		w.Equal(w.list(1), want) // each once, and an end
	}},
	{"24 a token that is none", func(w *sdk) {
		_, err := w.ListDeploymentStrategies(w.t.Context(), &appconfig.ListDeploymentStrategiesInput{NextToken: aws.String("bogus")})
		refused[*types.BadRequestException](w, err, 400, "Invalid nextToken parameter bogus.")
	}},
	{"25 pages too small and too large", func(w *sdk) {
		for _, size := range []int32{0, 51} {
			_, err := w.ListDeploymentStrategies(w.t.Context(), &appconfig.ListDeploymentStrategiesInput{MaxResults: &size})
			refused[*types.BadRequestException](w, err, 400, "maxResults")
		}
	}},
	{"26 update the bake alone", func(w *sdk) {
		id := *w.creates(func(in *create) { in.ReplicateTo = types.ReplicateToSsmDocument }).Id
		out, err := w.updates(id, func(in *update) { in.FinalBakeTimeInMinutes = aws.Int32(20) })
		w.NoErr(err)
		w.Equal([]string{*out.Id, *out.Name, string(out.GrowthType), string(out.ReplicateTo)}, []string{id, "careful", "LINEAR", "SSM_DOCUMENT"})
		w.Equal([]int32{out.DeploymentDurationInMinutes, out.FinalBakeTimeInMinutes}, []int32{15, 20})
		w.Equal(*out.GrowthFactor, float32(25))
	}},
	{"27 update the bake to nothing", func(w *sdk) {
		id := *w.creates(func(in *create) { in.FinalBakeTimeInMinutes = 20 }).Id
		out, err := w.updates(id, func(in *update) { in.FinalBakeTimeInMinutes = aws.Int32(0) })
		w.NoErr(err)
		w.Equal(out.FinalBakeTimeInMinutes, int32(0))
		w.Equal(w.gets(id).FinalBakeTimeInMinutes, int32(0))
	}},
	{"28 update nothing", func(w *sdk) {
		id := *w.creates(nil).Id
		out, err := w.updates(id, nil)
		w.NoErr(err)
		w.Equal(*out.GrowthFactor, float32(25))
		w.Equal(out.DeploymentDurationInMinutes, int32(15))
	}},
	{"29 update growth and factor", func(w *sdk) {
		id := *w.creates(nil).Id
		_, err := w.updates(id, func(in *update) { in.GrowthType, in.GrowthFactor = types.GrowthTypeExponential, aws.Float32(2) })
		w.NoErr(err)
		got := w.gets(id)
		w.Equal(got.GrowthType, types.GrowthTypeExponential)
		w.Equal(*got.GrowthFactor, float32(2))
	}},
	{"30 update with one bad field", func(w *sdk) {
		id := *w.creates(nil).Id
		_, err := w.updates(id, func(in *update) { in.FinalBakeTimeInMinutes, in.GrowthFactor = aws.Int32(5), aws.Float32(0.5) })
		refused[*types.BadRequestException](w, err, 400, "growthFactor")
		w.Equal(w.gets(id).FinalBakeTimeInMinutes, int32(0)) // nothing changed
	}},
	{"31 update what cannot be changed", func(w *sdk) {
		id := *w.creates(nil).Id
		got := w.raw("PATCH", "/deploymentstrategies/"+id, `{"Name":"other","ReplicateTo":"SSM_DOCUMENT"}`)
		w.Equal(got.status, 200)
		w.Equal(*w.gets(id).Name, "careful")
		w.Equal(w.gets(id).ReplicateTo, types.ReplicateToNone)
	}},
	{"32 update an unknown one", func(w *sdk) {
		_, err := w.updates("zzzzzzz", func(in *update) { in.FinalBakeTimeInMinutes = aws.Int32(1) })
		refused[*types.ResourceNotFoundException](w, err, 404, "zzzzzzz")
	}},
	{"33 update a predefined one", func(w *sdk) {
		_, err := w.updates("AppConfig.AllAtOnce", func(in *update) { in.FinalBakeTimeInMinutes = aws.Int32(1) })
		refused[*types.BadRequestException](w, err, 400, "Cannot update predefined Deployment Strategy AppConfig.AllAtOnce")
	}},
	{"34 delete", func(w *sdk) {
		id := *w.creates(nil).Id
		w.NoErr(w.deletes(id)) // by the misspelt path
		w.unknown(id)
	}},
	{"35 delete again", func(w *sdk) {
		id := *w.creates(nil).Id
		w.NoErr(w.deletes(id))
		refused[*types.ResourceNotFoundException](w, w.deletes(id), 404, id)
	}},
	{"36 delete a predefined one", func(w *sdk) {
		refused[*types.BadRequestException](w, w.deletes("AppConfig.AllAtOnce"), 400,
			"Cannot delete predefined Deployment Strategy AppConfig.AllAtOnce.")
	}},
}

// unknown checks that no strategy has the id.
func (w *sdk) unknown(id string) {
	w.t.Helper()
	_, err := w.GetDeploymentStrategy(w.t.Context(), &appconfig.GetDeploymentStrategyInput{DeploymentStrategyId: &id})
	refused[*types.ResourceNotFoundException](w, err, 404, "DeploymentStrategy with Id "+id+" could not be found.")
}

// ownAndPredefined makes strategies and gives what a list must have then.
func (w *sdk) ownAndPredefined(n int) []string {
	var ids []string
	for range n {
		ids = append(ids, *w.creates(nil).Id)
	}
	for _, p := range predefined {
		ids = append(ids, p.id)
	}
	return ids
}
