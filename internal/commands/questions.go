package commands

import (
	"fmt"
	"maps"
	"slices"
)

// Question is asked like the command that it is about: with the same body, by whoever may send that one. It has an answer, and
// nothing is written.
type Question interface {
	// Name is "<aggregate>.<verb>": the last two tokens of its NATS subject. No command has it.
	Name() string
	About() Command
}

type (
	// EvaluatePolicies asks which policies would match a deployment, and what would come out.
	EvaluatePolicies struct{ CreateDeployment }
	// EvaluateGroup asks which policies would match each member of a group, and what would come out.
	EvaluateGroup struct{ CreateGroup }
)

func (EvaluatePolicies) Name() string { return "policy.evaluate" }
func (EvaluateGroup) Name() string    { return "group.evaluate" }

// About implements [Question].
func (q EvaluatePolicies) About() Command { return q.CreateDeployment }

// About implements [Question].
func (q EvaluateGroup) About() Command { return q.CreateGroup }

// questions has all questions by their names.
var questions = map[string]func(body []byte) (Question, error){
	EvaluatePolicies{}.Name(): read[EvaluatePolicies],
	EvaluateGroup{}.Name():    read[EvaluateGroup],
}

func read[Q Question](body []byte) (Question, error) {
	var q Q
	err := DecodeStrict(body, &q)
	return q, err
}

// Questions lists the questions, sorted.
func Questions() []string { return slices.Sorted(maps.Keys(questions)) }

// DecodeQuestion reads a question's JSON body. It refuses what DecodeStrict does; the name is one of [Questions].
func DecodeQuestion(name string, body []byte) (Question, error) {
	known, ok := questions[name]
	if !ok {
		return nil, fmt.Errorf("no question %q", name)
	}
	return known(body)
}
