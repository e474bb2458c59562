package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"slipway/aggregates"
	"slipway/internal/agent/tree"
	"slipway/internal/commands"
	"slipway/internal/droplets"
	"slipway/internal/zips"
)

// Bits is where packages are read and droplets are stored.
type Bits interface {
	commands.Bits
	// Get opens what is stored under a name. The caller closes it. Errors: droplets.ErrNotFound.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
}

// convert stores the zip of one object as the .tgz of another.
func (s *Stager) convert(ctx context.Context, zip, object string) (sum string, size int64, err error) {
	file, length, err := s.fetch(ctx, zip)
	if err != nil {
		return "", 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	converted := make(chan error, 1)
	go func() {
		err := zips.Convert(ctx, w, file, length, tree.DefaultLimits)
		_ = w.CloseWithError(err) // it never fails
		converted <- err
	}()
	sum, size, err = s.bits.Put(ctx, object, r)
	_ = r.CloseWithError(errStored) // a store that gave up early must not leave the other end waiting
	fault := <-converted
	if errors.Is(fault, zips.ErrRefused) {
		return "", 0, aggregates.Reject("The package cannot be staged: %v", fault)
	}
	if err == nil && fault != nil {
		err = fault
	}
	return sum, size, err
}

// errStored ends a conversion that nobody reads any more.
var errStored = errors.New("the store has stopped reading")

// fetch copies a package into a file of this host: the directory of a zip stands at its end.
func (s *Stager) fetch(ctx context.Context, zip string) (file *os.File, size int64, err error) {
	stored, err := s.bits.Get(ctx, zip)
	if errors.Is(err, droplets.ErrNotFound) {
		return nil, 0, aggregates.Reject("The files of the package are gone. Push them again.")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read package: %w", err)
	}
	defer stored.Close()
	file, err = os.CreateTemp("", "slipway-stage-")
	if err != nil {
		return nil, 0, err
	}
	if size, err = io.Copy(file, stored); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("read package: %w", err), file.Close(), os.Remove(file.Name()))
	}
	return file, size, nil
}
