package docs

import (
	"fmt"
	"regexp"
	"strings"
)

// Block is a fenced block of shell.
type Block struct {
	Line   int    // of its fence in the file
	Text   string // its commands
	Client string // the program of somebody else's that it needs: nats or cf; empty: none
	Reason string // why it is not to be run; empty: it is
}

// Commands counts the lines that are neither empty nor a comment.
func (b Block) Commands() (n int) {
	for line := range strings.Lines(b.Text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

const fence = "```"

// typed is how a line begins that people are meant to type: it must not hide in a block that is not run.
var typed = regexp.MustCompile(`(?m)^(\$ |make |curl |go (run|test|build) |nats (req|pub|sub|stream|micro) |cf (login|push|app|restart|rollback) |slipway (serve|demo|audit) )`)

// Blocks finds the blocks of shell in a Markdown file. It refuses info strings that it does not know.
func Blocks(text string) (blocks []Block, err error) {
	var open *Block // the block being read; its kind may be another than shell
	var info string
	for n, line := range strings.Split(text, "\n") {
		rest, fenced := strings.CutPrefix(strings.TrimSpace(line), fence)
		switch {
		case !fenced && open != nil:
			open.Text += line + "\n"
		case fenced && open == nil:
			open, info = &Block{Line: n + 1}, rest
		case fenced:
			shell, err := open.classify(info)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", open.Line, err)
			}
			if shell {
				blocks = append(blocks, *open)
			}
			open = nil
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: block without an end", open.Line)
	}
	return blocks, nil
}

// classify reads the info string of a block; shell says whether the block is one of ours.
func (b *Block) classify(info string) (shell bool, err error) {
	language, rest, _ := strings.Cut(info, " ")
	reason, left := strings.CutPrefix(rest, "no-test")
	switch {
	case language != "sh":
		if command := typed.FindString(b.Text); command != "" {
			return false, fmt.Errorf("%q stands in a block of kind %q, where nobody tries it: say sh", command, language)
		}
		return false, nil
	case left:
		b.Reason = strings.TrimSpace(strings.TrimPrefix(reason, ":"))
		if b.Reason == "" {
			return false, fmt.Errorf("%q: want \"no-test: why\"", info)
		}
	case rest == "nats", rest == "cf":
		b.Client = rest
	case rest != "":
		return false, fmt.Errorf("%q: want sh, sh nats, sh cf or sh no-test: why", info)
	}
	return true, nil
}
