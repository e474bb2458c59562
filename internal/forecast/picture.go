package forecast

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"slipway/internal/resource"
)

// barWidth is how wide the widest bar is, in signs. Fewer instances than that have a sign each.
const barWidth = 40

// The signs of a bar.
const (
	signOld      = "░"
	signNew      = "▓"
	signStarting = "·"
)

// Legend says what the signs of a bar mean.
const Legend = signOld + " old  " + signNew + " new  " + signStarting + " on its way"

// row is one moment of the picture.
type row struct {
	after resource.Seconds
	level resource.Level
	texts []string
}

// Picture draws what serves over time, and what is decided. Of more rows than the limit (0: none) those in the middle are left
// out.
func Picture(w io.Writer, f resource.Forecast, limit int) error {
	all, widest := rows(f), 1
	for _, r := range all {
		widest = max(widest, r.level.Desired)
	}
	p := &printer{w: w}
	p.printf("  %9s  %-*s  old+new   %s\n", "at", min(widest, barWidth), "", Legend)
	for i, r := range all {
		if limit > 0 && len(all) > limit && i >= limit/2 && i < len(all)-limit/2 {
			if i == limit/2 {
				p.printf("  %9s  %d more moments, --rows 0 shows them\n", "...", len(all)-limit/2*2)
			}
			continue
		}
		p.printf("%s\n", strings.TrimRight(fmt.Sprintf("  %9s  %s  %3d+%-3d   %s", at(&r.after), Bar(r.level, widest), r.level.Old, r.level.New,
			strings.Join(r.texts, ", ")), " "))
	}
	if p.err != nil {
		return fmt.Errorf("write forecast: %w", p.err)
	}
	return nil
}

// rows are the moments at which anything changes.
func rows(f resource.Forecast) (all []row) {
	for _, l := range f.Levels {
		all = append(all, row{after: l.After, level: l})
	}
	for _, m := range f.Timeline {
		i, found := slices.BinarySearchFunc(all, m.After, func(r row, at resource.Seconds) int { return int(r.after - at) })
		if !found {
			next := row{after: m.After}
			if i > 0 {
				next.level = all[i-1].level
			}
			all = slices.Insert(all, i, next)
		}
		if text := told(m); text != "" {
			all[i].texts = append(all[i].texts, text)
		}
	}
	return all
}

// told is what a moment is called in the picture.
func told(m resource.Moment) string {
	if m.From != nil && m.To != nil {
		if *m.From == *m.To {
			return ""
		}
		return fmt.Sprintf("%s %d to %d", m.Version, *m.From, *m.To)
	}
	name := strings.TrimPrefix(m.Type, "deployment.")
	switch name {
	case "created", "step-started":
		return m.Text
	case "error-recorded":
		return "waits: " + m.Text
	case "bake-started":
		return m.Text
	}
	if m.Text == "" {
		return strings.ToUpper(name)
	}
	return name + " " + m.Text
}

// Bar draws what serves and what is on its way, as wide as the widest bar beside it, which has so many instances.
func Bar(l resource.Level, widest int) string {
	scale := func(n int) int {
		if widest <= barWidth {
			return n
		}
		return (n*barWidth + widest - 1) / widest
	}
	old, fresh := scale(l.Old), scale(l.New)
	full := max(scale(l.Desired), old+fresh)
	width := max(min(widest, barWidth), full)
	return strings.Repeat(signOld, old) + strings.Repeat(signNew, fresh) + strings.Repeat(signStarting, full-old-fresh) + strings.Repeat(" ", width-full)
}
