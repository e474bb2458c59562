package events

// The kinds of a package, Cloud Foundry's.
const (
	PackageTypeBits   = "bits"   // a zip of files
	PackageTypeDocker = "docker" // the name of an image
)

// PackageCreated: an app has a package to build a droplet from. One of type docker is complete; one of type bits waits for
// its files.
type PackageCreated struct {
	Package     PackageID `json:"package"`
	App         AppID     `json:"app"`
	PackageType string    `json:"package_type"`    // bits or docker
	Image       string    `json:"image,omitempty"` // name of the image, for docker
	Metadata    Metadata  `json:"metadata,omitzero"`
}

// PackageUploaded: the package's zip is in the object store; it can be built and never changes again.
type PackageUploaded struct {
	Package   PackageID `json:"package"`
	App       AppID     `json:"app"`
	Bits      string    `json:"bits"`       // name of the object that holds the zip
	SHA256    string    `json:"sha256"`     // of the zip, hex
	SizeBytes int64     `json:"size_bytes"` // of the zip
}

// BuildCreated: a droplet shall be made of a package. It has all that the making needs, so that whoever makes it after a crash
// makes the same.
type BuildCreated struct {
	Build    BuildID   `json:"build"`
	Package  PackageID `json:"package"`
	App      AppID     `json:"app"`
	Droplet  DropletID `json:"droplet"`         // the id it will have
	Bits     string    `json:"bits,omitempty"`  // name of the object that holds the package's zip
	Image    string    `json:"image,omitempty"` // name of the package's image
	Metadata Metadata  `json:"metadata,omitzero"`
}

// BuildStaged: the build has ended well; its droplet can be deployed.
type BuildStaged struct {
	Build   BuildID   `json:"build"`
	Package PackageID `json:"package"`
	App     AppID     `json:"app"`
	Droplet DropletID `json:"droplet"`
}

// BuildFailed: the build has ended without a droplet, and would again.
type BuildFailed struct {
	Build   BuildID   `json:"build"`
	Package PackageID `json:"package"`
	App     AppID     `json:"app"`
	Error   string    `json:"error"` // why, for a person
}

func (PackageCreated) Type() Type  { return TypePackageCreated }
func (PackageUploaded) Type() Type { return TypePackageUploaded }
func (BuildCreated) Type() Type    { return TypeBuildCreated }
func (BuildStaged) Type() Type     { return TypeBuildStaged }
func (BuildFailed) Type() Type     { return TypeBuildFailed }

func (e PackageCreated) Subject() string  { return string(e.Package) }
func (e PackageUploaded) Subject() string { return string(e.Package) }
func (e BuildCreated) Subject() string    { return string(e.Build) }
func (e BuildStaged) Subject() string     { return string(e.Build) }
func (e BuildFailed) Subject() string     { return string(e.Build) }
