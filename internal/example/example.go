// Package example makes droplets of examples/hello, for the demo and for tests with real instances.
package example

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles the example app. It needs the Go tool, as everything in this repository does.
func Build(ctx context.Context) (binary []byte, err error) {
	dir, err := os.MkdirTemp("", "slipway-hello-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "hello")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "slipway/examples/hello")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build examples/hello (run this in the repository): %w\n%s", err, text)
	}
	return os.ReadFile(out)
}

// Pack makes a droplet of the binary: a .tgz with a Procfile that names its processes and the version it reports.
func Pack(binary []byte, version string) ([]byte, error) {
	var bits bytes.Buffer
	zip := gzip.NewWriter(&bits)
	archive := tar.NewWriter(zip)
	for _, file := range []struct {
		name string
		mode int64
		data []byte
	}{
		{"Procfile", 0o644, []byte("web: ./hello\n")},
		{"VERSION", 0o644, []byte(version + "\n")},
		{"hello", 0o755, binary},
	} {
		if err := archive.WriteHeader(&tar.Header{Name: file.name, Mode: file.mode, Size: int64(len(file.data))}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return bits.Bytes(), nil
}
