package projections

import "slipway/events"

// target is what an audit event is about.
type target struct {
	kind, id, name string
	organization   events.OrganizationID
	space          events.SpaceID
}

// The kinds of targets, as clients read them.
const (
	TargetApp          = "app"
	TargetPolicy       = "policy"
	TargetHalt         = "halt"
	TargetSubscription = "subscription"
	TargetGroup        = "deployment_group"
)

// targetOf says what an event is about that has an audit, before it is folded: what is deleted by it is still known.
func (f *fold) targetOf(e events.Event) (t target, known bool) {
	about := RefsOf(e)
	switch e := e.(type) {
	case events.AppCreated:
		return target{TargetApp, string(e.App), e.Name, e.Organization, e.Space}, true
	case events.PolicyCreated:
		return target{TargetPolicy, string(e.Policy), e.Name, e.Organization, e.Space}, true
	case events.HaltDeclared:
		return target{TargetHalt, string(e.Halt), e.Reason, e.Organization, e.Space}, true
	case events.SubscriptionCreated:
		return target{TargetSubscription, string(e.Subscription), e.Name, e.Organization, e.Space}, true
	case events.GroupCreated:
		return target{TargetGroup, string(e.Group), e.Name, e.Organization, e.Space}, true
	}
	if owner := f.apps.get(about.App); owner != nil {
		return target{TargetApp, string(owner.GUID), owner.Name, owner.Organization, owner.Space}, true
	}
	if p := f.policies.get(about.Policy); p != nil {
		return target{TargetPolicy, string(p.GUID), p.Name, p.Organization, p.Space}, true
	}
	if h := f.halts.get(about.Halt); h != nil {
		return target{TargetHalt, string(h.GUID), h.Reason, h.Organization, h.Space}, true
	}
	if s := f.subscriptions.get(about.Subscription); s != nil {
		return target{TargetSubscription, string(s.GUID), s.Name, s.Organization, s.Space}, true
	}
	if g := f.groups.get(about.Group); g != nil {
		t = target{TargetGroup, string(g.GUID), g.Name, g.Organization, ""}
		if len(g.Spaces) == 1 {
			t.space = g.Spaces[0]
		}
		return t, true
	}
	return target{}, false
}

// auditOfRules is Slipway's own: what governs deployments, and who hears of them. The address of a subscription is a secret.
func auditOfRules(e events.Event) (string, detail) {
	switch e := e.(type) {
	case events.PolicyCreated:
		return "audit.policy.create", request(detail{"name": e.Name, "rule": e.Rule})
	case events.PolicyUpdated:
		return "audit.policy.update", request(detail{"name": e.Name, "rule": e.Rule})
	case events.PolicyDeleted:
		return "audit.policy.delete", detail{}
	case events.HaltDeclared:
		asked := detail{"reason": e.Reason}
		if !e.Until.IsZero() {
			asked["until"] = e.Until
		}
		return "audit.halt.declare", request(asked)
	case events.HaltMetadataSet:
		return "audit.halt.update", request(detail{"metadata": e.Metadata})
	case events.HaltLifted:
		return "audit.halt.lift", detail{}
	case events.VersionRejected:
		return "audit.app.version.reject", detail{"droplet_guid": e.Droplet, "revision_guid": e.Revision, "reason": e.Reason}
	case events.VersionAccepted:
		return "audit.app.version.accept", detail{"droplet_guid": e.Droplet, "revision_guid": e.Revision}
	case events.AutomationHeld:
		return "audit.app.automation.hold", detail{"reason": e.Reason}
	case events.AutomationReleased:
		return "audit.app.automation.release", detail{}
	case events.GroupCreated:
		return "audit.deployment_group.create", request(detail{"name": e.Name, "members": len(e.Members)})
	case events.GroupDirected:
		return "audit.deployment_group." + e.Directive, detail{}
	case events.SubscriptionCreated:
		return "audit.subscription.create", request(detail{"name": e.Name, "types": e.Types})
	case events.SubscriptionUpdated:
		return "audit.subscription.update", request(detail{"name": e.Name, "types": e.Types, "active": e.Active})
	case events.SubscriptionSecretRotated:
		return "audit.subscription.rotate-secret", detail{}
	case events.SubscriptionDeleted:
		return "audit.subscription.delete", detail{}
	}
	return "", nil
}
