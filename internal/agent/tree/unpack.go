package tree

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ErrRefused: the archive holds what no droplet may hold. Trying again will not help.
var ErrRefused = errors.New("droplet refused")

// Limits bound what an archive may become.
type Limits struct {
	Bytes int64 // of the unpacked archive, headers included
	Files int   // entries of any kind
	Depth int   // directories above a file
	Path  int   // bytes of a name
}

// DefaultLimits are above what Cloud Foundry's buildpacks make (a droplet there is at most 1 GiB packed by default) and
// below what hurts one host.
var DefaultLimits = Limits{Bytes: 2 << 30, Files: 100_000, Depth: 64, Path: 1024}

// Modes of what is unpacked. The app owns it; what a set-uid bit would mean here, nobody has asked for.
const (
	modeDir  = 0o755
	modeFile = 0o644
	modeExec = 0o755
)

// Unpack writes the .tgz read from r into root, which should be empty. On an error the directory's content is undefined.
// It fails with [ErrRefused] where the archive is at fault, not where reading it or this host is. It reads r to its end.
func Unpack(ctx context.Context, r io.Reader, root *os.Root, l Limits) error {
	source := &watched{r: r}
	err := unpack(ctx, source, root, l)
	if err != nil && source.err != nil {
		return fmt.Errorf("read the droplet: %w", source.err)
	}
	return err
}

func unpack(ctx context.Context, r io.Reader, root *os.Root, l Limits) error {
	gz, err := gzip.NewReader(r)
	if err != nil {
		return refused("no gzip: %w", err)
	}
	u := &unpacker{root: root, limits: l}
	plain := &bounded{r: gz, left: l.Bytes, alive: ctx.Err}
	archive := tar.NewReader(plain)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return blame(err)
		}
		if err := u.entry(h, archive); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return blame(err) // the checksum stands behind the last file
	}
	return u.checkLinks()
}

// hostFaults are errors that say nothing about the archive.
var hostFaults = []error{
	context.Canceled, context.DeadlineExceeded,
	syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EMFILE, syscall.ENFILE,
}

// blame gives the archive the fault, unless the error is of another making.
func blame(err error) error {
	if errors.Is(err, ErrRefused) || slices.ContainsFunc(hostFaults, func(f error) bool { return errors.Is(err, f) }) {
		return err
	}
	return refused("%w", err)
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRefused, fmt.Errorf(format, args...))
}

type unpacker struct {
	root   *os.Root
	limits Limits
	files  int
}

func (u *unpacker) entry(h *tar.Header, body io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // a comment, as git archive writes
	}
	if u.files++; u.files > u.limits.Files {
		return refused("more than %d files", u.limits.Files)
	}
	name, err := u.name(h.Name)
	if err != nil || name == "." {
		return err
	}
	if err := u.root.MkdirAll(path.Dir(name), modeDir); err != nil {
		return fmt.Errorf("%q: %w", name, blame(err))
	}
	if err := u.write(name, h, body); err != nil {
		return fmt.Errorf("%q: %w", name, blame(err))
	}
	return nil
}

// name checks where an entry wants to be.
func (u *unpacker) name(raw string) (string, error) {
	name := path.Clean(raw)
	switch {
	case raw == "" || !filepath.IsLocal(name) || strings.ContainsRune(raw, 0):
		return "", refused("the name %.100q leads out of the droplet", raw)
	case len(name) > u.limits.Path:
		return "", refused("a name is longer than %d bytes: %.100q", u.limits.Path, raw)
	case strings.Count(name, "/") > u.limits.Depth:
		return "", refused("deeper than %d directories: %.100q", u.limits.Depth, raw)
	}
	return name, nil
}

func (u *unpacker) write(name string, h *tar.Header, body io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		return u.root.MkdirAll(name, modeDir)
	case tar.TypeReg:
		return u.file(name, h, body)
	case tar.TypeSymlink:
		if path.IsAbs(h.Linkname) || !filepath.IsLocal(path.Join(path.Dir(name), h.Linkname)) {
			return refused("the link to %.100q leads out of the droplet", h.Linkname)
		}
		return u.replace(name, func() error { return u.root.Symlink(h.Linkname, name) })
	case tar.TypeLink:
		target, err := u.name(h.Linkname)
		if err != nil {
			return err
		}
		return u.replace(name, func() error { return u.root.Link(target, name) })
	default:
		return refused("neither file, directory nor link (type %q)", h.Typeflag)
	}
}

// file writes a regular file. What stands there gives way: a later entry of an archive overrules an earlier one, and a
// link must not be written through.
func (u *unpacker) file(name string, h *tar.Header, body io.Reader) error {
	mode := os.FileMode(modeFile)
	if h.FileInfo().Mode()&0o111 != 0 {
		mode = modeExec
	}
	if h.Size > u.limits.Bytes {
		return refused("%d bytes, at most %d", h.Size, u.limits.Bytes) // a sparse file is no larger in the archive
	}
	return u.replace(name, func() error {
		f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		u.limits.Bytes -= h.Size // sparse ones together must keep to the limit too
		_, err = io.Copy(f, body)
		return errors.Join(err, f.Close())
	})
}

// replace makes something at name in the place of any file or link there.
func (u *unpacker) replace(name string, mk func() error) error {
	err := mk()
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := u.root.Remove(name); err != nil {
		return err
	}
	return mk()
}

// checkLinks follows every symbolic link of the finished tree. What a name leads to through other links cannot be told from
// the names, so only this, with os.Root watching, is certain.
func (u *unpacker) checkLinks() error {
	return fs.WalkDir(u.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		if _, err := u.root.Stat(name); err != nil {
			return refused("the link %.100q leads nowhere in the droplet: %w", name, err)
		}
		return nil
	})
}

// bounded ends with an error once more than left bytes were read, or alive says so.
type bounded struct {
	r     io.Reader
	left  int64
	alive func() error
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.alive(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, refused("larger than allowed when unpacked")
	}
	return n, err
}

// watched remembers the error that reading ended with, so that a broken transfer is not taken for a broken archive.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
