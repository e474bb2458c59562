// Package zips reads the zip archives that clients upload as packages, and turns them into the .tgz that agents unpack.
//
// What it guarantees, whatever the archive holds:
//
//  1. No name leads out of the tree, nor does the target of a link. (What links make of each other is for package tree, which
//     unpacks the result, to watch.)
//  2. Files, their depth, their names and the unpacked size are bounded, by what is really there rather than by what the
//     archive claims. So is the memory that its directory takes.
//  3. [Convert] holds one buffer, however large the files are.
//
// An archive that breaks this is refused with [ErrRefused].
package zips

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"slipway/internal/agent/tree"
)

// ErrRefused: the archive is no zip, or holds what no package may hold. Trying again will not help.
var ErrRefused = errors.New("package refused")

const (
	// maxDirectory bounds the archive's directory, in bytes: archive/zip reads it into memory, however many entries it has.
	maxDirectory = 32 << 20
	// maxLink bounds the target of a symbolic link, in bytes.
	maxLink = 4096
	// encrypted is the bit of an entry's flags that says so.
	encrypted = 1
)

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

// Check refuses an archive that [Convert] would refuse because of its directory. It does not read the files.
func Check(r io.ReaderAt, size int64, l tree.Limits) error {
	_, err := open(r, size, l)
	return err
}

// open reads the directory and checks every entry of it.
func open(r io.ReaderAt, size int64, l tree.Limits) (*zip.Reader, error) {
	directory := &bounded{r: r, left: maxDirectory}
	archive, err := zip.NewReader(directory, size)
	if err != nil && directory.err != nil {
		return nil, directory.err
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked here
		return nil, refused("no zip: %w", err)
	}
	directory.left = -1
	if len(archive.File) > l.Files {
		return nil, refused("more than %d files", l.Files)
	}
	for _, f := range archive.File {
		if err := check(f, l); err != nil {
			return nil, err
		}
	}
	return archive, nil
}

func check(f *zip.File, l tree.Limits) error {
	name := path.Clean(f.Name)
	kind := f.Mode().Type()
	switch {
	case f.Name == "" || !filepath.IsLocal(name) || strings.ContainsAny(f.Name, "\x00\\"):
		return refused("the name %.100q leads out of the package", f.Name)
	case !utf8.ValidString(f.Name):
		return refused("the name %.100q is not UTF-8", f.Name) // a tar could not hold it beside other things
	case len(name) > l.Path:
		return refused("a name is longer than %d bytes: %.100q", l.Path, f.Name)
	case strings.Count(name, "/") > l.Depth:
		return refused("deeper than %d directories: %.100q", l.Depth, f.Name)
	case kind != 0 && kind != fs.ModeDir && kind != fs.ModeSymlink:
		return refused("%.100q is neither file, directory nor link", f.Name)
	case f.Flags&encrypted != 0:
		return refused("%.100q is encrypted", f.Name)
	}
	return nil
}

// bounded gives at most left bytes; less than 0: all. An error of the reader below is kept apart from a bad archive's.
type bounded struct {
	r    io.ReaderAt
	left int64
	err  error
}

func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	n, err := b.r.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	if b.left < 0 {
		return n, err
	}
	if b.left -= int64(n); b.left < 0 {
		b.left = 0
		return 0, refused("its directory is larger than %d bytes", maxDirectory)
	}
	return n, err
}
