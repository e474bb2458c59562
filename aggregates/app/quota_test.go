package app_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

func TestQuotaTexts(t *testing.T) {
	used := app.Usage{Instances: 3, MemoryMB: 300, LogRate: 30}
	organization := func(l events.QuotaLimits) app.Quota {
		return app.Quota{Organization: app.QuotaScope{Name: "acme", Limits: l, Used: used}}
	}
	space := func(l events.QuotaLimits) app.Quota {
		return app.Quota{Space: app.QuotaScope{Name: "prod", Limits: l, Used: used}}
	}
	const (
		forSpace        = " for space prod. This space's quota may not be large enough to support rolling deployments or your configured max-in-flight."
		forOrganization = " for organization acme. This organization's quota may not be large enough to support rolling deployments or your configured max-in-flight."
	)
	memory, largest := events.QuotaLimits{MemoryMB: new(500)}, events.QuotaLimits{InstanceMemoryMB: new(99)}
	instances, rate := events.QuotaLimits{Instances: new(5)}, events.QuotaLimits{LogRate: new(int64(50))}
	two, three := app.UsageOf(2, 100, 10), app.UsageOf(3, 100, 10)
	for name, c := range map[string]struct {
		quota  app.Quota
		add    app.Usage
		want   string
		suffix string
	}{
		"none":                  {app.Quota{}, app.UsageOf(1_000_000, 1_000_000, -1), "", ""},
		"memory just fits":      {organization(memory), two, "", ""},
		"memory":                {organization(memory), three, "memory quota_exceeded", forOrganization},
		"memory of the space":   {space(memory), three, "memory space_quota_exceeded", forSpace},
		"one instance":          {organization(largest), two, "memory instance_memory_limit_exceeded", ""},
		"one of the space":      {space(largest), two, "memory space_instance_memory_limit_exceeded", ""},
		"instances just fit":    {organization(instances), two, "", ""},
		"instances":             {organization(instances), three, "app_instance_limit app_instance_limit_exceeded", forOrganization},
		"of the space":          {space(instances), three, "app_instance_limit space_app_instance_limit_exceeded", forSpace},
		"log rate just fits":    {organization(rate), two, "", ""},
		"log rate":              {organization(rate), three, "log_rate_limit exceeds organization log rate quota", ""},
		"log rate of the space": {space(rate), three, "log_rate_limit exceeds space log rate quota", ""},
		"no limit on the log":   {organization(rate), app.UsageOf(1, 1, -1), "log_rate_limit cannot be unlimited in organization 'acme'.", ""},
		"nor in the space":      {space(rate), app.UsageOf(1, 1, -1), "log_rate_limit cannot be unlimited in space 'prod'.", ""},
		"it shrinks": {
			organization(events.QuotaLimits{MemoryMB: new(1), Instances: new(1), LogRate: new(int64(1))}),
			app.Usage{Instances: -1, MemoryMB: -100, LogRate: -10}, "", "",
		},
		"all at once": {
			app.Quota{
				Organization: app.QuotaScope{Name: "acme", Limits: events.QuotaLimits{MemoryMB: new(1), Instances: new(1)}},
				Space:        app.QuotaScope{Name: "prod", Limits: events.QuotaLimits{MemoryMB: new(1), LogRate: new(int64(1))}},
			}, three,
			"memory space_quota_exceeded, memory quota_exceeded, app_instance_limit app_instance_limit_exceeded, " +
				"log_rate_limit exceeds space log rate quota", forSpace,
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(c.quota.Check(c.add), c.want)                    // Cloud Foundry's words
			is.Equal(c.quota.CheckDeployment(c.add), c.want+c.suffix) // and what a new deployment says beside them
		})
	}
}

func TestUsageOfNothingIsNothing(t *testing.T) {
	is := is.New(t)
	is.Equal(app.UsageOf(0, 1024, -1), app.Usage{}) // no instance, no demand, not even of an unlimited log
}
