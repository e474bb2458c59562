package tree

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/matryer/is"
	"pgregory.net/rapid"
)

// file, dir, link and hard are entries of archives.
func file(name, content string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: content, Mode: 0o644}
}
func dir(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755} }
func link(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
}
func hard(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}
}
func device(name string, typ byte) tar.Header { return tar.Header{Typeflag: typ, Name: name} }

// tgz packs entries. A file's content stands in its Linkname.
func tgz(t fataler, entries ...tar.Header) []byte {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	w := tar.NewWriter(zip)
	for _, h := range entries {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content, h.Linkname = h.Linkname, ""
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("%v", err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatalf("%v", err)
	}
	return b.Bytes()
}

// target makes a directory to unpack into, with a neighbour that nothing may touch.
func target(t *testing.T) (root *os.Root, outside string) {
	t.Helper()
	root, outside = neighbours(t, filepath.Join(t.TempDir(), "top"))
	t.Cleanup(func() { root.Close() })
	return root, outside
}

func neighbours(t fataler, top string) (root *os.Root, outside string) {
	in := filepath.Join(top, "in")
	outside = filepath.Join(top, "outside")
	if err := errors.Join(os.MkdirAll(in, 0o700), os.WriteFile(outside, []byte("untouched"), 0o600)); err != nil {
		t.Fatalf("%v", err)
	}
	root, err := os.OpenRoot(in)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return root, outside
}

var small = Limits{Bytes: 64 << 10, Files: 10, Depth: 3, Path: 100}

func TestUnpack(t *testing.T) {
	is := is.New(t)
	root, _ := target(t)
	run := file("bin/run", "#!/bin/sh\n")
	run.Mode = 0o4755
	data := tgz(t, dir("./"), dir("bin"), run, file("./etc/conf", "old"), file("etc/conf", "new"),
		link("current", "bin/run"), hard("bin/again", "bin/run"), link("bin/up", "../etc"))
	is.NoErr(Unpack(t.Context(), bytes.NewReader(data), root, small))

	read := func(name string) string { b, err := root.ReadFile(name); is.NoErr(err); return string(b) }
	is.Equal(read("etc/conf"), "new")          // a later entry overrules an earlier one; parents are made
	is.Equal(read("current"), "#!/bin/sh\n")   // links inside work
	is.Equal(read("bin/again"), "#!/bin/sh\n") // hard links too
	is.Equal(read("bin/up/conf"), "new")       // also upwards, while inside
	info, err := root.Stat("bin/run")
	is.NoErr(err)
	is.Equal(info.Mode(), fs.FileMode(0o755)) // executable, without the set-uid bit
}

func TestUnpackRefuses(t *testing.T) {
	long := strings.Repeat("x", 101)
	big := strings.Repeat("0", 65<<10)
	tests := map[string][]tar.Header{
		"a name that climbs":                 {file("../outside", "x")},
		"a name that climbs from below":      {file("a/../../outside", "x")},
		"an absolute name":                   {file("/etc/passwd", "x")},
		"an empty name":                      {file("", "x")},
		"a link out":                         {link("l", "../outside")},
		"an absolute link":                   {link("l", "/etc/passwd")},
		"a link out by way of another":       {dir("a/b"), link("a/b/up", ".."), link("l", "a/b/up/../../outside")},
		"a file through a link out":          {link("l", ".."), file("l/outside", "x")},
		"a file through links that add up":   {dir("a/b"), link("a/b/up", ".."), link("l", "a/b/up/../.."), file("l/outside", "x")},
		"a hard link out":                    {hard("l", "../outside")},
		"an absolute hard link":              {hard("l", "/etc/passwd")},
		"a hard link that moves a link":      {dir("a/b"), file("f", "x"), link("a/b/l", "../../f"), hard("l", "a/b/l")},
		"a link to nothing":                  {link("l", "nothing")},
		"a link to itself":                   {link("l", "l")},
		"a device":                           {device("null", tar.TypeChar)},
		"a disk":                             {device("sda", tar.TypeBlock)},
		"a pipe":                             {device("fifo", tar.TypeFifo)},
		"an unknown kind":                    {device("what", 'Z')},
		"a name that is too long":            {file(long, "x")},
		"a hard link whose name is too long": {hard("l", long)},
		"too deep":                           {file("a/b/c/d/e", "x")},
		"too many files":                     {file("1", ""), file("2", ""), file("3", ""), file("4", ""), file("5", ""), file("6", ""), file("7", ""), file("8", ""), file("9", ""), file("10", ""), file("11", "")},
		"too large":                          {file("f", big)},
		"too large together":                 {file("a", big[:40<<10]), file("b", big[:40<<10])},
		"a directory in the place of a file": {file("f", "x"), dir("f")},
		"a file in the place of a directory": {dir("d"), file("d/f", "x"), file("d", "x")},
	}
	for name, entries := range tests {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			root, outside := target(t)
			err := Unpack(t.Context(), bytes.NewReader(tgz(t, entries...)), root, small)
			is.True(errors.Is(err, ErrRefused)) // refused, and blamed on the archive
			content, err := os.ReadFile(outside)
			is.NoErr(err)
			is.Equal(string(content), "untouched") // nothing outside has changed
		})
	}
}

func TestUnpackRefusesBrokenArchives(t *testing.T) {
	whole := tgz(t, file("f", strings.Repeat("x", 5000)))
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // the checksum
	tests := map[string][]byte{
		"nothing": nil, "no gzip": []byte("PK\x03\x04"), "cut short": whole[:len(whole)/2], "a wrong checksum": damaged,
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			root, _ := target(t)
			is.True(errors.Is(Unpack(t.Context(), bytes.NewReader(data), root, small), ErrRefused)) // refused
		})
	}
}

// TestUnpackBounds: an archive that claims to be endless is left early, whatever it is made of.
func TestUnpackBounds(t *testing.T) {
	zeros := func(n int64) io.Reader {
		r, w := io.Pipe()
		go func() {
			zip := gzip.NewWriter(w)
			_, err := io.CopyN(zip, endless{}, n)
			w.CloseWithError(errors.Join(err, zip.Close()))
		}()
		t.Cleanup(func() { r.Close() })
		return r
	}
	is := is.New(t)
	root, _ := target(t)
	is.True(errors.Is(Unpack(t.Context(), zeros(1<<30), root, small), ErrRefused)) // a bomb behind the end of the archive
}

// TestUnpackRefusesASparseGiant: a few bytes of archive that stand for a terabyte of zeros.
func TestUnpackRefusesASparseGiant(t *testing.T) {
	is := is.New(t)
	var records string
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=f", "GNU.sparse.realsize=1099511627776"} {
		records += fmt.Sprintf("%d %s\n", len(r)+4, r) // length, blank and line break count too: two digits
	}
	extension := plain(t, tgz(t, file("header", records)))[:1024]
	extension[156] = tar.TypeXHeader // the writer does not write one on request
	seal(extension[:512])
	data := plain(t, tgz(t, file("f", "0\n"+strings.Repeat("\x00", 510)))) // a map of no fragments: all hole

	h, err := tar.NewReader(bytes.NewReader(slices.Concat(extension, data))).Next()
	is.NoErr(err)
	is.Equal(h.Size, int64(1)<<40) // the test's own archive is what it claims to be

	root, _ := target(t)
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err = zip.Write(slices.Concat(extension, data))
	is.NoErr(errors.Join(err, zip.Close()))
	is.True(errors.Is(Unpack(t.Context(), &packed, root, small), ErrRefused)) // refused before a byte is written
}

// seal writes the checksum of a header block.
func seal(block []byte) {
	copy(block[148:156], "        ")
	sum := 0
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUnpackBlamesTheRightOne(t *testing.T) {
	is := is.New(t)
	root, _ := target(t)
	broken := errors.New("connection lost")
	err := Unpack(t.Context(), io.MultiReader(bytes.NewReader(tgz(t, file("f", "x"))[:20]), iotest.ErrReader(broken)), root, small)
	is.True(errors.Is(err, broken))      // what happened
	is.True(!errors.Is(err, ErrRefused)) // is not the archive's fault

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = Unpack(ctx, bytes.NewReader(tgz(t, file("f", "x"))), root, small)
	is.True(errors.Is(err, context.Canceled)) // and neither is a caller that goes away
	is.True(!errors.Is(err, ErrRefused))
}

// TestUnpackLaw unpacks random archives of names and links that cross each other: whatever becomes of them, nothing outside
// is touched, and nothing inside leads out.
func TestUnpackLaw(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "c", "..", "..", ".", "", "outside"})
	name := rapid.Custom(func(t *rapid.T) string {
		raw := rapid.SampledFrom([]string{"", "", "", "/"}).Draw(t, "root") +
			strings.Join(rapid.SliceOfN(segment, 1, 4).Draw(t, "path"), "/")
		return cmp.Or(strings.TrimRight(raw, "/"), ".") // the writer refuses a file whose name ends in a slash
	})
	base := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tar.Header {
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				return file(name.Draw(t, "name"), "harm")
			case 1:
				return dir(name.Draw(t, "name"))
			case 2:
				return hard(name.Draw(t, "name"), name.Draw(t, "target"))
			default:
				return link(name.Draw(t, "name"), name.Draw(t, "target"))
			}
		}), 1, 8).Draw(t, "entries")
		top := filepath.Join(base, strconv.Itoa(runs))
		root, outside := neighbours(t, top)
		defer os.RemoveAll(top)
		defer root.Close()
		err := Unpack(context.Background(), bytes.NewReader(tgz(t, entries...)), root, small)
		check(t, top, outside, root, err)
	})
}

// FuzzUnpack does the same with any bytes. The fuzzer's are the tar: it would never get past a gzip's checksum.
func FuzzUnpack(f *testing.F) {
	for _, seed := range [][]tar.Header{
		{file("a/b", "x"), link("l", "a/b"), hard("h", "a/b")},
		{dir("a/b"), link("a/b/up", ".."), link("l", "a/b/up/../..")},
		{file("../outside", "x")},
	} {
		f.Add(plain(f, tgz(f, seed...)))
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		root, outside := target(t)
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		if _, err := zip.Write(archive); err != nil || zip.Close() != nil {
			t.Fatal(err)
		}
		check(t, filepath.Dir(outside), outside, root, Unpack(t.Context(), &packed, root, small))
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// check states what holds after any Unpack.
func check(t fataler, top, outside string, root *os.Root, err error) {
	if content, err := os.ReadFile(outside); err != nil || string(content) != "untouched" {
		t.Fatalf("the neighbour is %q, %v", content, err)
	}
	if entries, err := os.ReadDir(top); err != nil || len(entries) != 2 {
		t.Fatalf("beside the tree stand %v, %v", entries, err)
	}
	if err != nil {
		return
	}
	var total int64
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := root.Stat(name) // fails where a link leads out
		if err == nil && d.Type().IsRegular() {
			total += info.Size()
		}
		return err
	})
	if err != nil || total > small.Bytes {
		t.Fatalf("%d bytes, %v", total, err)
	}
}

func plain(t fataler, packed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatalf("%v", err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return data
}
