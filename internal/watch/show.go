package watch

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"slipway/internal/forecast"
)

// View shows how a rollout stands, again and again.
type View interface {
	// Show shows it; trouble says why what is shown may be old, or why nothing is known yet of the zero Rollout. It is called
	// whenever something may have changed.
	Show(r Rollout, trouble string) error
}

// Command writes what a person is to type, from the arguments of the program slipway.
type Command func(arguments string) string

// Line is how far a rollout is and why it waits, on one line beside others whose widest bar has so many instances.
func (r Rollout) Line(widest int) string {
	return plain(strings.TrimRight(r.bar(widest)+r.head()+"  "+r.Why(time.Time{}), " "))
}

// Words are its status and why it waits or ended, without a picture.
func (r Rollout) Words() string {
	return plain(strings.TrimSuffix(r.head()+": "+r.Why(time.Time{}), ": "))
}

// Far is how far a rollout is, on one line as [Rollout.Line] is.
func (r Rollout) Far(widest int) string { return r.bar(widest) + r.head() }

// head is its status and step.
func (r Rollout) head() string {
	if current, total := r.step(); total > 0 && !r.Over() {
		return fmt.Sprintf("%s, step %d of %d", r.Status.Reason, current, total)
	}
	return r.Status.Reason
}

func (r Rollout) bar(widest int) string {
	if r.Level.Desired == 0 {
		return ""
	}
	return fmt.Sprintf("%s  %3d+%-3d  ", forecast.Bar(r.Level, widest), r.Level.Old, r.Level.New)
}

// Lines writes a line for each change: for logs, and whatever is no terminal.
type Lines struct {
	Out     io.Writer
	Command Command
	Now     func() time.Time

	last   map[string]string // that was written, by what it is about
	widest int
}

// Show implements [View].
func (l *Lines) Show(r Rollout, trouble string) error {
	if trouble != "" {
		return l.write("", plain(trouble))
	}
	return l.write("", l.rollout(r))
}

// rollout is the line of one, with what a person can type where it waits for them.
func (l *Lines) rollout(r Rollout) string {
	l.widest = max(l.widest, r.Level.Desired, r.Created.Target)
	text := r.Line(l.widest)
	if next := r.Next(l.Now()); len(next) > 0 {
		text += ": " + l.Command(next[0])
	}
	return text
}

// write writes a line about something if it is another one than the last.
func (l *Lines) write(about, text string) error {
	change := strings.Join(strings.Fields(text), " ") // a bar that is only drawn wider is none
	if change == l.last[about] {
		return nil
	}
	if l.last == nil {
		l.last = map[string]string{}
	}
	l.last[about] = change
	_, err := fmt.Fprintf(l.Out, "%s  %s\n", l.Now().Format(time.TimeOnly), text)
	return err
}

// Screen draws a block on a terminal, and draws it anew in place.
type Screen struct {
	Out     io.Writer
	Command Command
	Now     func() time.Time
	Columns func() int // of the terminal; 0: unknown

	last   string
	widest int
}

// Show implements [View].
func (s *Screen) Show(r Rollout, trouble string) error {
	s.widest = max(s.widest, r.Level.Desired, r.Created.Target)
	if r.GUID == "" {
		return s.draw(nil, trouble)
	}
	return s.draw(s.rollout(r), trouble)
}

// draw draws lines in the place of those before.
func (s *Screen) draw(lines []string, trouble string) error {
	text := block(lines, trouble)
	if text == s.last {
		return nil
	}
	up := ""
	if n := s.rows(s.last); n > 0 {
		up = fmt.Sprintf("\x1b[%dA\r\x1b[J", n) // up to where the block begins, and clear what follows
	}
	s.last = text
	_, err := io.WriteString(s.Out, up+text)
	return err
}

// block is all that is drawn, each line with its end.
func block(lines []string, trouble string) string {
	if trouble != "" {
		lines = append(lines, "  "+trouble)
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(plain(line), " ") + "\n")
	}
	return b.String()
}

func (s *Screen) rollout(r Rollout) []string {
	lines := []string{fmt.Sprintf("%s  %s  %s", r.App, r.Strategy, r.GUID), "  " + r.head()}
	if r.Level.Desired > 0 {
		lines = append(lines, "  "+r.bar(s.widest)+forecast.Legend)
	}
	if target := r.Created.Target; target > 0 && r.Level.Desired > 0 {
		lines = append(lines, progress(r.Level.New, target)+" new instances serve")
	}
	if why := r.Why(s.Now()); why != "" {
		lines = append(lines, "  "+why)
	}
	for _, next := range r.Next(s.Now()) {
		lines = append(lines, "    "+s.Command(next))
	}
	return lines
}

// rows is how many rows of the terminal a block takes: long lines go on below.
func (s *Screen) rows(text string) (n int) {
	columns := s.Columns()
	for line := range strings.Lines(text) {
		n++
		if width := utf8.RuneCountInString(line) - 1; columns > 0 {
			n += (width - 1) / columns
		}
	}
	return n
}

// progressWidth is how wide the bar is between its ends, in signs.
const progressWidth = 40

// progress draws how much is done.
func progress(done, total int) string {
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(io.Discard), progressbar.OptionSetWidth(progressWidth),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	_ = bar.Set(min(done, total)) // it writes nowhere
	return strings.TrimPrefix(strings.TrimRight(bar.String(), " "), "\r")
}

// plain takes control characters out of a text: other people's reasons must not steer a terminal, nor break a line.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
