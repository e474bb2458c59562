package resource

import (
	"strings"
	"time"

	"slipway/events"
	"slipway/internal/cferror"
)

// The operations that clients wait for as jobs (Cloud Foundry's names).
const (
	OperationAppDelete     = "app.delete"
	OperationDropletUpload = "droplet.upload"
	OperationApplyManifest = "space.apply_manifest"

	OperationOrganizationDelete      = "organization.delete"
	OperationSpaceDelete             = "space.delete"
	OperationOrganizationQuotaDelete = "organization_quota.delete"
	OperationSpaceQuotaDelete        = "space_quota.delete"
	OperationRouteDelete             = "route.delete"
)

// Job is an operation that a client waits for. Slipway's are done when they are answered, so a job that is there is
// COMPLETE, or FAILED if it was refused in the middle.
type Job struct {
	Stamp
	Operation string          `json:"operation"`
	State     string          `json:"state"`
	Errors    []cferror.Error `json:"errors"`
	Warnings  []struct{}      `json:"warnings"`
	Links     Links           `json:"links"`
}

// JobID names the job of an operation on a resource: "app.delete.<guid>". It can be taken apart, so that jobs need no place
// of their own: history says whether they are done.
func JobID(operation, id string) string { return operation + "." + id }

// SplitJobID takes a job's id apart. ok is false where it is none.
func SplitJobID(job string) (operation, id string, ok bool) {
	dot := strings.LastIndexByte(job, '.')
	if dot < 0 {
		return "", "", false
	}
	operation, id = job[:dot], job[dot+1:]
	known := operation == OperationAppDelete || operation == OperationDropletUpload ||
		operation == OperationApplyManifest || Deletion(operation) != ""
	return operation, id, known && events.ValidID(id)
}

// Deletion is the event that ends an operation which deletes where apps live or how they are reached; none for others.
func Deletion(operation string) events.Type {
	return map[string]events.Type{
		OperationOrganizationDelete: events.TypeOrganizationDeleted, OperationSpaceDelete: events.TypeSpaceDeleted,
		OperationOrganizationQuotaDelete: events.TypeQuotaDeleted, OperationSpaceQuotaDelete: events.TypeQuotaDeleted,
		OperationRouteDelete: events.TypeRouteDeleted,
	}[operation]
}

// JobLink is where a job is found.
func (b Base) JobLink(operation, id string) Link { return b.link("v3", "jobs", JobID(operation, id)) }

// Job presents an operation that ended at a time, badly if there are errors.
func (b Base) Job(operation, id string, done time.Time, faults ...cferror.Error) Job {
	state := "COMPLETE"
	if len(faults) > 0 {
		state = "FAILED"
	}
	return Job{
		Stamp:     Stamp{GUID: JobID(operation, id), CreatedAt: Time(done), UpdatedAt: Time(done)},
		Operation: operation, State: state, Errors: Each(faults, func(e cferror.Error) cferror.Error { return e }), Warnings: []struct{}{},
		Links: Links{"self": b.JobLink(operation, id)},
	}
}
