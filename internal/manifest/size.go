package manifest

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// units of sizes, in bytes.
var units = map[string]int64{
	"B": 1, "K": 1 << 10, "KB": 1 << 10, "M": 1 << 20, "MB": 1 << 20, "G": 1 << 30, "GB": 1 << 30, "T": 1 << 40, "TB": 1 << 40,
}

const (
	badUnit   = " must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB"
	notNumber = " is not a number"
)

var sizeForm = regexp.MustCompile(`^(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)$`)

// bytesOf reads a size such as "512M" or "1.5 GB". fault is empty, or what is to follow the name of the field.
func bytesOf(text string) (n int64, fault string) {
	match := sizeForm.FindStringSubmatch(strings.TrimSpace(text))
	if match == nil {
		return 0, notNumber
	}
	unit, known := units[strings.ToUpper(match[2])]
	if !known {
		return 0, badUnit
	}
	f, err := strconv.ParseFloat(match[1], 64)
	if f *= float64(unit); err != nil || math.Abs(f) > math.MaxInt64/2 {
		return 0, notNumber
	}
	return int64(f), ""
}

// megabytes reads a size that is counted in whole megabytes.
func megabytes(text string) (mb *int, fault string) {
	n, fault := bytesOf(text)
	if fault != "" {
		return nil, fault
	}
	whole := int(n >> 20)
	if whole < 1 {
		return nil, " must be greater than 0MB"
	}
	return &whole, ""
}

// rate reads a log rate limit, which may be -1 or 0 without a unit.
func rate(text string) (n *int64, fault string) {
	switch text = strings.TrimSpace(text); text {
	case "-1", "0":
		fixed, _ := strconv.ParseInt(text, 10, 64) // it is one of two
		return &fixed, ""
	}
	limit, fault := bytesOf(text)
	if fault != "" {
		return nil, fault
	}
	if limit < -1 {
		return nil, " must be greater than or equal to -1"
	}
	return &limit, ""
}

// sizeText writes a number of megabytes as manifests do.
func sizeText(mb int) string { return strconv.Itoa(mb) + "M" }

// rateText writes a log rate limit as manifests do: in the largest unit that leaves no rest.
func rateText(n int64) string {
	if n <= 0 {
		return strconv.FormatInt(n, 10)
	}
	for _, unit := range []string{"T", "G", "M", "K"} {
		if n%units[unit] == 0 {
			return strconv.FormatInt(n/units[unit], 10) + unit
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
