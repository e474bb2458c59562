package conformance_test

import "fmt"

// quotas are the cases of 4.1, 4.2 and 4.7 that quotas decide. ORG and SPACE of the texts are both called "default" here.
var quotas = []row{
	{27, do(started(1), organizationQuota(2000)), requests(`"options":{"web_instances":100000}`), do(refused(memoryOfOrganization), noDeployment)},
	{29, do(started(1), organizationQuota(1)), requests(""), do(refused(memoryOfOrganization), noDeployment)},
	{63, do(started(3), sized(`{"memory_in_mb":999}`), organizationQuota(10000)), requests(`"options":{"web_instances":11}`),
		do(refused(memoryOfOrganization), noDeployment)},
	{64, do(started(3), sized(`{"memory_in_mb":999}`), organizationQuota(10000), rests), requests(`"options":{"web_instances":10}`),
		func(w *world) { w.accepted(); sizes(3, 1)(w) }},
	{65, do(started(3), organizationQuota(10000)), requests(`"options":{"memory_in_mb":4000}`), do(refused(memoryOfOrganization), noDeployment)},
	{65, do(started(3), organizationQuota(10000)), requests(`"options":{"memory_in_mb":3000}`), func(w *world) { w.accepted() }},
	{74, do(created(2), spaceQuota(2000)), requests(""), do(refused("memory space_quota_exceeded for space default. "+
		"This space's quota may not be large enough to support rolling deployments or your configured max-in-flight."), noDeployment, appIs("STOPPED"))},
	{181, do(started(2), organizationQuota(10000), rests, deploys(`{"web_instances":4}`), organizationQuota(3072)), moves,
		do(errorIs("memory quota_exceeded"), status("ACTIVE/DEPLOYING"), sizes(2, 1))},
}

const memoryOfOrganization = "memory quota_exceeded for organization default. " +
	"This organization's quota may not be large enough to support rolling deployments or your configured max-in-flight."

// organizationQuota limits the memory of all apps of the organization.
func organizationQuota(megabytes int) act {
	return func(w *world) {
		w.limits++
		w.must(201, "POST", "/v3/organization_quotas", fmt.Sprintf(`{"name":"quota-%d","apps":{"total_memory_in_mb":%d},`+
			`"relationships":{"organizations":{"data":[{"guid":"default"}]}}}`, w.limits, megabytes))
	}
}

// spaceQuota limits the memory of all apps of the space.
func spaceQuota(megabytes int) act {
	return func(w *world) {
		w.must(201, "POST", "/v3/space_quotas", fmt.Sprintf(`{"name":"quota","apps":{"total_memory_in_mb":%d},`+
			`"relationships":{"organization":{"data":{"guid":"default"}},"spaces":{"data":[{"guid":"default"}]}}}`, megabytes))
	}
}

// noDeployment expects that what was refused left nothing behind.
func noDeployment(w *world) {
	w.is.Equal(number(w.get("/v3/deployments"), "pagination", "total_results"), 0)
	w.is.Equal(len(w.webs()), 1)
}
