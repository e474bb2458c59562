// Command gencomments writes what the comments of Go types say of their fields, as JSON: {"slipway/events.Growth.Type": "..."}. A
// program cannot read its own comments, so a document that is made of Go types needs them beside it. What a field is stands once, at
// the field.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	module := flag.String("module", "slipway", "path of the module")
	root := flag.String("root", ".", "its directory")
	out := flag.String("out", "comments.json", "file to write")
	flag.Parse()
	if err := run(*module, *root, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gencomments:", err)
		os.Exit(1)
	}
}

// run writes the comments of packages, which are directories below root.
func run(module, root, out string, packages []string) error {
	data, err := render(module, root, packages)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

func render(module, root string, packages []string) ([]byte, error) {
	all := map[string]string{}
	for _, dir := range packages {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no Go files in %s", filepath.Join(root, dir))
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			read(file, module+"/"+dir, all)
		}
	}
	data, err := json.MarshalIndent(all, "", "\t")
	return append(data, '\n'), err
}

// read adds the comments of a file's types. Those of fields that JSON does not show are nobody's business.
func read(file *ast.File, pkg string, all map[string]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, f := range structure.Fields.List {
			text := strings.Join(strings.Fields(f.Doc.Text()+f.Comment.Text()), " ")
			if f.Tag == nil || !strings.Contains(f.Tag.Value, `json:"`) || text == "" {
				continue
			}
			for _, name := range f.Names {
				all[pkg+"."+spec.Name.Name+"."+name.Name] = text
			}
		}
		return true
	})
}
