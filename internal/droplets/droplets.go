// Package droplets stores the bits of droplets.
//
// What it guarantees:
//
//  1. Bits are stored whole or not at all: a failed or interrupted Put leaves nothing to be read, and nothing behind. What a
//     killed process leaves behind is found by [ObjectStore.Sweep].
//  2. Bits are read as they were written, or the last Read fails: a digest is compared at the end.
//  3. Neither writing nor reading holds more than a few chunks in memory, however large the bits are.
//  4. A reading ends with its context at once, and with an error where a chunk does not come in time; see [ObjectStore.Get].
//
// A reader may find its bits replaced under it; then its last Read fails. Droplets never change, so only a repeated
// upload does that.
package droplets

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// MaxBytes is the largest droplet that is taken, in bytes. Cloud Foundry's default for a droplet is the same.
const MaxBytes = 1 << 30

var (
	// ErrNotFound: there are no bits under this id.
	ErrNotFound = errors.New("no such droplet bits")
	// ErrTooLarge: the bits are larger than the store takes.
	ErrTooLarge = errors.New("droplet bits are too large")
)

// Store keeps bits by id. dropletstest.Run holds its implementations to the guarantees above.
type Store interface {
	// Put stores what r gives until its end and says the SHA-256 (lower-case hex) and the size in bytes. Bits that were
	// there before are replaced, at once. Errors: ErrTooLarge, an error of r as it is.
	Put(ctx context.Context, id string, r io.Reader) (sha256 string, size int64, err error)

	// Get opens the bits. The caller closes them. Errors: ErrNotFound.
	Get(ctx context.Context, id string) (io.ReadCloser, error)

	// Delete removes the bits. That there are none is no error.
	Delete(ctx context.Context, id string) error
}

func tooLarge(limit int64) error { return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit) }
