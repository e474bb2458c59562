package installation

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// sources looks at every file that the programs under test are built from. The go command notes what a test looks at and runs
// it again when that has changed; without this it would give the outcome of last time, because the programs are not part
// of the test. It must be called by a test: what TestMain looks at is not noted.
var sources = sync.OnceFunc(func() {
	root, err := Root()
	if err != nil {
		return // Main has found it, and without it there is no test
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		switch filepath.Ext(path) {
		case ".go", ".mod", ".sql", ".conf", ".md":
			_, _ = os.Stat(path) // looking is all
		}
		return nil
	})
})
