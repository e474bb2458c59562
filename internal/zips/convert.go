package zips

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"time"
	"unicode/utf8"

	"slipway/internal/agent/tree"
)

// Convert writes the files of the zip as a .tgz, as they are, in their order. What has been written after an error is
// undefined.
func Convert(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, l tree.Limits) error {
	archive, err := open(r, size, l)
	if err != nil {
		return err
	}
	// Speed: the bits travel within a data center, and are unpacked once per agent.
	gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	out := tar.NewWriter(gz)
	c := &converter{out: out, left: l.Bytes}
	for _, f := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.entry(f); err != nil {
			return fmt.Errorf("%.100q: %w", f.Name, err)
		}
	}
	return errors.Join(out.Close(), gz.Close())
}

type converter struct {
	out  *tar.Writer
	left int64 // bytes that the files may still have
}

func (c *converter) entry(f *zip.File) error {
	name := path.Clean(f.Name)
	h := &tar.Header{Name: name, ModTime: f.Modified.Truncate(time.Second), Mode: int64(f.Mode().Perm())}
	switch f.Mode().Type() {
	case fs.ModeDir:
		if name == "." {
			return nil
		}
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
		return c.out.WriteHeader(h)
	case fs.ModeSymlink:
		return c.link(f, h)
	default:
		return c.file(f, h)
	}
}

// file copies a file. The size is in the header of a tar, so what the zip claims must be what is there.
func (c *converter) file(f *zip.File, h *tar.Header) error {
	if f.UncompressedSize64 > uint64(c.left) {
		return refused("larger than allowed when unpacked")
	}
	h.Typeflag, h.Size = tar.TypeReg, int64(f.UncompressedSize64)
	if err := c.out.WriteHeader(h); err != nil {
		return err
	}
	body, err := f.Open()
	if err != nil {
		return refused("%w", err)
	}
	defer body.Close()
	n, err := io.Copy(c.out, reading{body})
	if c.left -= n; err == nil && n != h.Size {
		err = refused("%d bytes, not %d", n, h.Size)
	}
	if errors.Is(err, tar.ErrWriteTooLong) {
		err = refused("more than the %d bytes it claims", h.Size)
	}
	return err
}

func (c *converter) link(f *zip.File, h *tar.Header) error {
	body, err := f.Open()
	if err != nil {
		return refused("%w", err)
	}
	defer body.Close()
	target, err := io.ReadAll(io.LimitReader(body, maxLink+1))
	if err != nil {
		return refused("%w", err)
	}
	h.Typeflag, h.Linkname = tar.TypeSymlink, string(target)
	if len(target) == 0 || len(target) > maxLink || !utf8.ValidString(h.Linkname) || path.IsAbs(h.Linkname) ||
		!filepath.IsLocal(path.Join(path.Dir(h.Name), h.Linkname)) {
		return refused("the link to %.100q leads out of the package", h.Linkname)
	}
	return c.out.WriteHeader(h)
}

// reading blames the archive for what goes wrong in reading a file of it, which is told apart from writing by that. It hides
// the reader's other methods, so that io.Copy reads here.
type reading struct{ r io.Reader }

func (r reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = refused("%w", err)
	}
	return n, err
}
