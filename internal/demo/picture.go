package demo

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// shades draws the share of each version, one sign per version.
var shades = []string{"░", "▓", "█", "▒", "▚"}

const barWidth = 40

// Picture draws the share of versions over time and sums the requests up.
func (r Result) Picture(w io.Writer) {
	versions := r.versions()
	fmt.Fprintf(w, "\n  share of versions over time  ")
	for i, v := range versions {
		fmt.Fprintf(w, " %s %s", shades[i%len(shades)], v)
	}
	fmt.Fprintln(w)
	for i, b := range r.Buckets {
		fmt.Fprintf(w, "  %6.1fs  %s  %4d sent", float64(i)*bucketWidth.Seconds(), b.bar(versions), b.Sent)
		if b.Failed > 0 {
			fmt.Fprintf(w, "  %d FAILED", b.Failed)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n  requests sent    %d (%.0f a second)\n  requests failed  %d\n", r.Sent, r.Rate, r.Failed)
	for _, fault := range r.Faults {
		fmt.Fprintln(w, "    after", fault)
	}
}

func (r Result) versions() []string {
	seen := map[string]bool{}
	for _, b := range r.Buckets {
		for v := range b.Versions {
			seen[v] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func (b Bucket) bar(versions []string) string {
	answered := b.Sent - b.Failed
	if answered == 0 {
		return strings.Repeat(" ", barWidth)
	}
	var bar strings.Builder
	sum, drawn := 0, 0
	for i, v := range versions {
		sum += b.Versions[v]
		upTo := sum * barWidth / answered
		bar.WriteString(strings.Repeat(shades[i%len(shades)], upTo-drawn))
		drawn = upTo
	}
	return bar.String()
}
