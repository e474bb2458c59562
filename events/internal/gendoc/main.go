// Command gendoc writes docs/events.md: what the registry knows, what the comments of the Go types say, and the goldens as
// examples. So each truth stands once, and the page cannot say something else than the code.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	dir := flag.String("events", ".", "directory of package events")
	out := flag.String("out", "../docs/events.md", "file to write")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	page, err := render(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(out, page, 0o644)
}
