package policy

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"

	"slipway/aggregates"
)

// costLimit bounds what evaluating one condition may cost, in CEL's units: some hundred comparisons over all that there is to see.
const costLimit = 100_000

// environment is what a condition can name. Each value is a map with text as keys, but for now and last_deployments.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	thing := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.Variable("app", thing), cel.Variable("space", thing), cel.Variable("organization", thing), cel.Variable("droplet", thing),
		cel.Variable("revision", thing), cel.Variable("strategy", thing), cel.Variable("actor", thing), cel.Variable("now", cel.TimestampType),
		cel.Variable("last_deployments", cel.ListType(thing)), ext.Strings(),
	)
})

// compile reads a condition; nil where there is none. The error is a refusal that says where it is wrong.
func compile(condition string) (cel.Program, error) {
	if strings.TrimSpace(condition) == "" {
		return nil, nil
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("conditions: %w", err)
	}
	ast, issues := env.Compile(condition)
	if issues.Err() != nil {
		return nil, misread(issues)
	}
	if kind := ast.OutputType(); !kind.IsExactType(cel.BoolType) && !kind.IsExactType(cel.DynType) {
		return nil, aggregates.Reject("Rule condition must be true or false, it is of type %s", kind)
	}
	program, err := env.Program(ast, cel.CostLimit(costLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, aggregates.Reject("Rule condition cannot be used: %v", err)
	}
	return program, nil
}

// misread tells the first thing that is wrong, with its place.
func misread(issues *cel.Issues) error {
	first := issues.Errors()[0]
	return aggregates.Reject("Rule condition is no CEL expression: line %d, column %d: %s",
		first.Location.Line(), first.Location.Column()+1, first.Message)
}

// holds evaluates a condition.
func holds(program cel.Program, variables map[string]any) (bool, error) {
	if program == nil {
		return true, nil
	}
	out, _, err := program.Eval(variables)
	if err != nil {
		return false, err
	}
	if out.Type().TypeName() != "bool" {
		return false, fmt.Errorf("it gives %s, not true or false", out.Type().TypeName())
	}
	value, err := out.ConvertToNative(reflect.TypeFor[bool]())
	if err != nil {
		return false, err
	}
	return value.(bool), nil
}
