package zips_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/agent/tree"
	"slipway/internal/zips"
)

// entry is what a test puts into a zip.
type entry struct {
	name string
	mode fs.FileMode
	body string
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: time.Unix(1_700_000_000, 0)}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(e.body))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// limits are small, so that tests reach them.
var limits = tree.Limits{Bytes: 1 << 20, Files: 10, Depth: 4, Path: 64}

func convert(data []byte) ([]byte, error) {
	var out bytes.Buffer
	err := zips.Convert(context.Background(), &out, bytes.NewReader(data), int64(len(data)), limits)
	return out.Bytes(), err
}

func TestConvertKeepsTheFilesAsTheyAre(t *testing.T) {
	is := is.New(t)
	tgz, err := convert(archive(t,
		entry{"bin/", fs.ModeDir | 0o755, ""}, entry{"bin/web", 0o755, "#!/bin/sh"}, entry{"Procfile", 0o644, "web: bin/web"},
		entry{"start", fs.ModeSymlink | 0o777, "bin/web"}, entry{"./deep/er/file", 0o600, strings.Repeat("x", 100_000)},
	))
	is.NoErr(err)
	root, err := os.OpenRoot(t.TempDir())
	is.NoErr(err)
	defer root.Close()
	is.NoErr(tree.Unpack(t.Context(), bytes.NewReader(tgz), root, tree.DefaultLimits)) // as an agent will
	text, err := root.ReadFile("start")
	is.NoErr(err)
	is.Equal(string(text), "#!/bin/sh") // through the link
	info, err := root.Stat("bin/web")
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), fs.FileMode(0o755)) // it can be run
	text, err = root.ReadFile("deep/er/file")
	is.NoErr(err)
	is.Equal(len(text), 100_000)
}

func TestRefused(t *testing.T) {
	plain := archive(t, entry{"a", 0o644, "some text that is not so short"})
	lying := bytes.Clone(plain)
	// The size that the directory claims: at 24 behind the signature of its entry.
	at := bytes.Index(lying, []byte("PK\x01\x02")) + 24
	binary.LittleEndian.PutUint32(lying[at:], 5)
	larger := bytes.Clone(plain)
	binary.LittleEndian.PutUint32(larger[at:], 500)
	secret := bytes.Clone(plain)
	secret[bytes.Index(secret, []byte("PK\x01\x02"))+8] |= 1
	torn := bytes.Clone(plain)
	torn[40] ^= 0xff
	var many []entry
	for range 11 {
		many = append(many, entry{"a", 0o644, ""})
	}
	for name, data := range map[string][]byte{
		"nothing":                {},
		"no zip":                 []byte("this is no zip"),
		"cut":                    plain[:len(plain)-10],
		"above":                  archive(t, entry{"../a", 0o644, ""}),
		"above by a detour":      archive(t, entry{"a/../../b", 0o644, ""}),
		"absolute":               archive(t, entry{"/etc/passwd", 0o644, ""}),
		"backslash":              archive(t, entry{`..\a`, 0o644, ""}),
		"no UTF-8":               archive(t, entry{"a\xff", 0o644, ""}),
		"link to no UTF-8":       archive(t, entry{"l", fs.ModeSymlink | 0o777, "a\xff"}),
		"zero byte":              archive(t, entry{"a\x00b", 0o644, ""}),
		"link outside":           archive(t, entry{"a/l", fs.ModeSymlink | 0o777, "../../x"}),
		"absolute link":          archive(t, entry{"l", fs.ModeSymlink | 0o777, "/etc"}),
		"empty link":             archive(t, entry{"l", fs.ModeSymlink | 0o777, ""}),
		"device":                 archive(t, entry{"d", fs.ModeDevice | 0o600, ""}),
		"pipe":                   archive(t, entry{"p", fs.ModeNamedPipe | 0o600, ""}),
		"too many files":         archive(t, many...),
		"too deep":               archive(t, entry{"a/b/c/d/e/f", 0o644, ""}),
		"too long a name":        archive(t, entry{strings.Repeat("a", 65), 0o644, ""}),
		"too large":              archive(t, entry{"a", 0o644, strings.Repeat("x", 1<<20+1)}),
		"too large in all":       archive(t, entry{"a", 0o644, strings.Repeat("x", 1<<19)}, entry{"b", 0o644, strings.Repeat("x", 1<<19+1)}),
		"larger than it claims":  lying,
		"smaller than it claims": larger,
		"encrypted":              secret,
		"torn":                   torn,
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := convert(data)
			is.True(errors.Is(err, zips.ErrRefused)) // it is the archive's fault
		})
	}
}

func TestCheckReadsTheDirectoryOnly(t *testing.T) {
	is := is.New(t)
	good := archive(t, entry{"a", 0o644, "text"})
	is.NoErr(zips.Check(bytes.NewReader(good), int64(len(good)), limits))
	bad := archive(t, entry{"../a", 0o644, "text"})
	is.True(errors.Is(zips.Check(bytes.NewReader(bad), int64(len(bad)), limits), zips.ErrRefused))
}

// TestADirectoryIsBounded gives a directory that would take much memory.
func TestADirectoryIsBounded(t *testing.T) {
	is := is.New(t)
	one := archive(t, entry{strings.Repeat("n", 1000), 0o644, ""})
	from := bytes.Index(one, []byte("PK\x01\x02"))
	to := bytes.Index(one, []byte("PK\x05\x06"))
	data := bytes.Join([][]byte{one[:from], bytes.Repeat(one[from:to], 40_000), one[to:]}, nil)
	end := len(data) - 22
	binary.LittleEndian.PutUint32(data[end+12:], uint32(end-from)) // the size of the directory
	binary.LittleEndian.PutUint16(data[end+8:], 40_000)
	binary.LittleEndian.PutUint16(data[end+10:], 40_000)
	err := zips.Check(bytes.NewReader(data), int64(len(data)), limits)
	is.True(errors.Is(err, zips.ErrRefused))
	is.True(strings.Contains(err.Error(), "its directory is larger than"))
}

type broken struct{}

var errBroken = errors.New("the disk is gone")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

func TestAFaultOfTheHostIsNotTheArchives(t *testing.T) {
	is := is.New(t)
	err := zips.Check(broken{}, 1000, limits)
	is.True(errors.Is(err, errBroken))
	is.True(!errors.Is(err, zips.ErrRefused))
}

// FuzzConvert holds that whatever is taken can be unpacked by an agent or is refused there, and that nothing panics.
func FuzzConvert(f *testing.F) {
	f.Add(archive(f, entry{"a", 0o644, "text"}, entry{"b/", fs.ModeDir | 0o755, ""}))
	f.Add(archive(f, entry{"l", fs.ModeSymlink | 0o777, "a/../b"}, entry{"Procfile", 0o644, "web: x"}))
	f.Add(archive(f, entry{"../x", 0o4755, "x"}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		tgz, err := convert(data)
		if err != nil {
			if !errors.Is(err, zips.ErrRefused) {
				t.Fatalf("neither taken nor refused: %v", err)
			}
			return
		}
		dir := t.TempDir()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := tree.Unpack(t.Context(), bytes.NewReader(tgz), root, tree.DefaultLimits); err != nil && !errors.Is(err, tree.ErrRefused) {
			t.Fatalf("an agent cannot unpack it: %v", err)
		}
	})
}
