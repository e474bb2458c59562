package events

import "time"

// DropletCreated: a droplet of an app exists and waits for its bits. One that is an image has none and can be deployed.
type DropletCreated struct {
	Droplet      DropletID         `json:"droplet"`
	App          AppID             `json:"app"`
	ProcessTypes map[string]string `json:"process_types"`     // type to start command
	Image        string            `json:"image,omitempty"`   // what it is instead of bits
	Package      PackageID         `json:"package,omitempty"` // what it was built of
	Build        BuildID           `json:"build,omitempty"`   // the build that made it
}

// DropletUploaded: its bits are in the object store; it can be deployed and never changes again.
type DropletUploaded struct {
	Droplet      DropletID         `json:"droplet"`
	App          AppID             `json:"app"`
	Bits         string            `json:"bits"`          // name of the object that holds them
	SHA256       string            `json:"sha256"`        // of the .tgz, hex
	SizeBytes    int64             `json:"size_bytes"`    // of the .tgz
	ProcessTypes map[string]string `json:"process_types"` // as created, or from the Procfile in the bits
}

func (DropletCreated) Type() Type  { return TypeDropletCreated }
func (DropletUploaded) Type() Type { return TypeDropletUploaded }

func (e DropletCreated) Subject() string  { return string(e.Droplet) }
func (e DropletUploaded) Subject() string { return string(e.Droplet) }

// NameClaimed: in this space the name belongs to this app from now on. The app is created right after; a claim that was not
// followed by its app within the claim's grace time may be taken over (docs/adr/0002).
type NameClaimed struct {
	Space SpaceID   `json:"space"`
	Name  string    `json:"name"` // of the app, unique in its space
	App   AppID     `json:"app"`
	At    time.Time `json:"at"` // when it was claimed
}

// NameReleased: the name is free again.
type NameReleased struct {
	Space SpaceID `json:"space"`
	Name  string  `json:"name"` // of the app, unique in its space
	App   AppID   `json:"app"`
}

func (NameClaimed) Type() Type  { return TypeNameClaimed }
func (NameReleased) Type() Type { return TypeNameReleased }

func (e NameClaimed) Subject() string  { return e.Name }
func (e NameReleased) Subject() string { return e.Name }

// CommandRejected: a command from the durable door was refused; its sender finds the reason here.
type CommandRejected struct {
	Command CommandID `json:"command"` // id of the command
	Name    string    `json:"name"`    // e.g. "deployment.create"
	App     AppID     `json:"app,omitempty"`
	Code    string    `json:"code"`    // e.g. "CF-UnprocessableEntity"
	Message string    `json:"message"` // for a person
}

func (CommandRejected) Type() Type        { return TypeCommandRejected }
func (e CommandRejected) Subject() string { return string(e.Command) }
