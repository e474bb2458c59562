package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// header is one header of a commit's message and what it is for.
type header struct{ Name, Meaning string }

// comments is what the source of package events says about itself.
type comments struct {
	types   map[string]string            // Go type to its comment
	fields  map[string]map[string]string // Go struct to field to its comment
	funcs   map[string]string            // function to its comment
	headers []header                     // in the order of the source
}

// readComments reads the comments of the package in dir.
func readComments(dir string) (*comments, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no Go files in %s", dir)
	}
	c := &comments{types: map[string]string{}, fields: map[string]map[string]string{}, funcs: map[string]string{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		c.addFile(file)
	}
	return c, nil
}

func (c *comments) addFile(file *ast.File) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			c.funcs[d.Name.Name] = sentence(d.Doc, d.Name.Name)
		case *ast.GenDecl:
			c.addSpecs(d)
		}
	}
}

func (c *comments) addSpecs(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			c.addType(d, s)
		case *ast.ValueSpec:
			if name := s.Names[0].Name; strings.HasPrefix(name, "Header") && len(s.Values) == 1 {
				c.headers = append(c.headers, header{literal(s.Values[0]), sentence(s.Comment, name)})
			}
		}
	}
}

func (c *comments) addType(d *ast.GenDecl, s *ast.TypeSpec) {
	name := s.Name.Name
	doc := s.Doc
	if doc == nil && !d.Lparen.IsValid() {
		doc = d.Doc
	}
	if doc == nil {
		doc = s.Comment
	}
	c.types[name] = sentence(doc, name)
	fields := map[string]string{}
	if structure, ok := s.Type.(*ast.StructType); ok {
		for _, f := range structure.Fields.List {
			for _, n := range f.Names {
				fields[n.Name] = sentence(f.Comment, n.Name)
			}
		}
	}
	c.fields[name] = fields
}

// sentence is a comment in one line, without the name it begins with: "AppCreated: an app exists" becomes "An app exists".
func sentence(doc *ast.CommentGroup, name string) string {
	text := strings.Join(strings.Fields(doc.Text()), " ")
	if text, found := strings.CutPrefix(text, name+": "); found {
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		if s, err := strconv.Unquote(lit.Value); err == nil {
			return s
		}
	}
	return ""
}
