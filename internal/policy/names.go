package policy

import (
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"

	"slipway/aggregates"
)

// last is the variable that is a list.
const last = "last_deployments"

// fields are what each variable of a condition has, by its name: those of [Request].
var fields = func() map[string][]string {
	all := map[string][]string{last: fieldsOf(reflect.TypeFor[Past]())}
	for f := range reflect.TypeFor[Request]().Fields() {
		if f.Type.Kind() == reflect.Struct && f.Name != "Now" {
			all[f.Tag.Get("json")] = fieldsOf(f.Type)
		}
	}
	return all
}()

func fieldsOf(thing reflect.Type) (names []string) {
	for f := range thing.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// known refuses a condition that names a field which there never is. To CEL the variables are maps, in which anything might be, so
// it would fail on every request, and deny it.
func known(condition string) error {
	env, err := environment()
	if err != nil {
		return err
	}
	read, issues := env.Compile(condition)
	if issues.Err() != nil {
		return misread(issues)
	}
	var unknown error
	n := names{local: map[string]bool{}, past: map[string]bool{}}
	ast.PostOrderVisit(read.NativeRep().Expr(), ast.NewExprVisitor(n.declare))
	ast.PostOrderVisit(read.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.SelectKind && unknown == nil {
			unknown = n.check(read, e)
		}
	}))
	return unknown
}

// names are the variables that a condition declares itself, such as d in last_deployments.exists(d, ...).
type names struct {
	local map[string]bool
	past  map[string]bool // those of them that are earlier deployments
}

func (n names) declare(e ast.Expr) {
	if e.Kind() != ast.ComprehensionKind {
		return
	}
	c := e.AsComprehension()
	n.local[c.IterVar()], n.local[c.AccuVar()] = true, true
	if r := c.IterRange(); r.Kind() == ast.IdentKind && r.AsIdent() == last {
		n.past[c.IterVar()] = true
	}
}

// check refuses one selection of a field.
func (n names) check(read *cel.Ast, e ast.Expr) error {
	s := e.AsSelect()
	thing, has, of := n.thing(s.Operand())
	if has == nil || slices.Contains(has, s.FieldName()) {
		return nil
	}
	at := read.NativeRep().SourceInfo().GetStartLocation(e.ID())
	return aggregates.Reject("Rule condition names %s.%s (line %d, column %d), which there is not: %s has %s",
		thing, s.FieldName(), at.Line(), at.Column()+1, of, strings.Join(has, ", "))
}

// thing is what a field is selected of, if that is known: as the condition has it, its fields, and what it is.
func (n names) thing(e ast.Expr) (written string, has []string, of string) {
	const past = "an earlier deployment"
	switch e.Kind() {
	case ast.IdentKind:
		name := e.AsIdent()
		switch {
		case n.past[name]:
			return name, fields[last], past
		case n.local[name] || name == last:
			return "", nil, ""
		}
		return name, fields[name], name
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() == "_[_]" && c.Args()[0].Kind() == ast.IdentKind && c.Args()[0].AsIdent() == last {
			return last + "[...]", fields[last], past
		}
	}
	return "", nil, ""
}
