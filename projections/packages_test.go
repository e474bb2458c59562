package projections_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/pack"
	"slipway/events"
	"slipway/projections"
)

// built is an app a1 with a package of bits k1, whose build b1 made the droplet d9, and one of an image k2, whose build b2
// failed.
func built() *log {
	l := running()
	l.add(events.PackageSubject("k1"), events.PackageCreated{
		Package: "k1", App: "a1", PackageType: "bits", Metadata: events.Metadata{Labels: map[string]string{"env": "prod"}},
	})
	l.add(events.PackageSubject("k1"), events.PackageUploaded{Package: "k1", App: "a1", Bits: "o1", SHA256: "abc", SizeBytes: 7})
	l.add(events.BuildSubject("b1"), events.BuildCreated{Build: "b1", Package: "k1", App: "a1", Droplet: "d9", Bits: "o1"})
	l.add(events.DropletSubject("d9"),
		events.DropletCreated{Droplet: "d9", App: "a1", ProcessTypes: web("v9"), Package: "k1", Build: "b1"},
		events.DropletUploaded{Droplet: "d9", App: "a1", SHA256: "def", SizeBytes: 8, ProcessTypes: web("v9")})
	l.add(events.BuildSubject("b1"), events.BuildStaged{Build: "b1", Package: "k1", App: "a1", Droplet: "d9"})
	l.add(events.PackageSubject("k2"), events.PackageCreated{Package: "k2", App: "a1", PackageType: "docker", Image: "shop/web:3"})
	l.add(events.BuildSubject("b2"), events.BuildCreated{Build: "b2", Package: "k2", App: "a1", Droplet: "d10", Image: "shop/web:3"})
	l.add(events.BuildSubject("b2"), events.BuildFailed{Build: "b2", Package: "k2", App: "a1", Error: "no"})
	return l
}

func TestPackagesAndBuilds(t *testing.T) {
	s := applied(t, built())
	t.Run("a package waits for its bits and gets them", func(t *testing.T) {
		is := is.New(t)
		l := built()
		before := &log{commits: l.commits[:5]}
		p, err := applied(t, before).Package(t.Context(), "k1")
		is.NoErr(err)
		is.Equal(p.State, projections.PackageAwaitingUpload)
		p, err = s.Package(t.Context(), "k1")
		is.NoErr(err)
		is.Equal([]any{p.State, p.SHA256, p.SizeBytes}, []any{projections.PackageReady, "abc", int64(7)})
		is.True(p.UpdatedAt.After(p.CreatedAt)) // by the upload
	})
	t.Run("an image is ready at once", func(t *testing.T) {
		is := is.New(t)
		found, err := s.All().Packages(t.Context(), projections.PackageFilter{
			Apps: []events.AppID{"a1"}, States: []projections.PackageState{projections.PackageReady}, Types: []string{"docker"},
			Spaces: []events.SpaceID{"default"},
		}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(found.Total, 1)
		is.Equal(found.Rows[0].Image, "shop/web:3")
	})
	t.Run("by label and newest first", func(t *testing.T) {
		is := is.New(t)
		found, err := s.All().Packages(t.Context(), projections.PackageFilter{Labels: []projections.LabelRequirement{
			{Key: "env", Operator: projections.LabelIn, Values: []string{"prod"}},
		}}, projections.Order{By: projections.ByCreated, Descending: true}, projections.Page{Number: 1, PerPage: 1})
		is.NoErr(err)
		is.Equal(found.Total, 1)
		is.Equal(found.Rows[0].GUID, events.PackageID("k1"))
	})
	t.Run("builds end", func(t *testing.T) {
		is := is.New(t)
		good, err := s.Build(t.Context(), "b1")
		is.NoErr(err)
		is.Equal([]any{good.State, good.Droplet, good.Actor}, []any{pack.Staged, events.DropletID("d9"), events.Actor("alice")})
		bad, err := s.All().Builds(t.Context(), projections.BuildFilter{
			Packages: []events.PackageID{"k2"}, States: []pack.Phase{pack.Failed}, Apps: []events.AppID{"a1"},
		}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(bad.Total, 1)
		is.Equal(bad.Rows[0].Error, "no")
	})
	t.Run("droplets of a package", func(t *testing.T) {
		is := is.New(t)
		found, err := s.All().Droplets(t.Context(), projections.DropletFilter{
			Packages: []events.PackageID{"k1"}, States: []projections.DropletState{projections.DropletStaged},
		}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(found.Total, 1)
		is.Equal(found.Rows[0].Build, events.BuildID("b1"))
	})
	t.Run("an image that is a droplet is STAGED at once", func(t *testing.T) {
		is := is.New(t)
		l := built()
		l.add(events.DropletSubject("d11"), events.DropletCreated{Droplet: "d11", App: "a1", Image: "shop/web:3"})
		d, err := applied(t, l).Droplet(t.Context(), "d11")
		is.NoErr(err)
		is.Equal(d.State, projections.DropletStaged)
	})
	t.Run("they go with their app", func(t *testing.T) {
		is := is.New(t)
		l := built()
		l.app(events.AppDeleted{App: "a1"})
		gone := applied(t, l)
		left, err := gone.All().Packages(t.Context(), projections.PackageFilter{}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(left.Total, 0)
		builds, err := gone.All().Builds(t.Context(), projections.BuildFilter{}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(builds.Total, 0)
	})
}
