package events

// How the share of new instances grows over a deployment's duration, by AWS AppConfig's names.
const (
	GrowthLinear      = "LINEAR"      // by the growth factor at each step: 20, 40, 60...
	GrowthExponential = "EXPONENTIAL" // doubling from the growth factor: 2, 4, 8, 16...
)

// Where a deployment strategy is to be kept beside Slipway, by AWS AppConfig's names. Slipway keeps the word and copies nothing.
const (
	ReplicateToNone        = "NONE"
	ReplicateToSSMDocument = "SSM_DOCUMENT"
)

// Growth is the numbers of a deployment strategy: how fast a rollout grows, and how long it is watched at its end. A
// deployment copies them when it starts; a later change of the strategy changes nothing for it.
type Growth struct {
	GrowthType                string  `json:"growth_type"`                 // LINEAR or EXPONENTIAL
	GrowthFactor              float64 `json:"growth_factor"`               // percent, 1 to 100: of each step (LINEAR) or of the first one (EXPONENTIAL)
	DeploymentDurationMinutes int     `json:"deployment_duration_minutes"` // from the start to the bake, 0 to 1440
	FinalBakeMinutes          int     `json:"final_bake_minutes"`          // watched at 100 percent before it is done, 0 to 1440
}

// StrategyCreated: a deployment strategy exists.
type StrategyCreated struct {
	Strategy    StrategyID        `json:"strategy"`
	Name        string            `json:"name"`                  // for people; several may have the same
	Description string            `json:"description,omitempty"` // for people
	Growth      Growth            `json:"growth"`                // its numbers
	ReplicateTo string            `json:"replicate_to"`          // NONE or SSM_DOCUMENT; kept for clients
	Tags        map[string]string `json:"tags,omitempty"`        // key to value, as given
}

// StrategyUpdated: the strategy's description and numbers are now these. Deployments that began before keep theirs.
type StrategyUpdated struct {
	Strategy    StrategyID `json:"strategy"`
	Description string     `json:"description,omitempty"` // for people
	Growth      Growth     `json:"growth"`                // its numbers
}

// StrategyDeleted: the strategy is gone; its id stays used. Deployments that began with it go on.
type StrategyDeleted struct {
	Strategy StrategyID `json:"strategy"`
}

func (StrategyCreated) Type() Type { return TypeStrategyCreated }
func (StrategyUpdated) Type() Type { return TypeStrategyUpdated }
func (StrategyDeleted) Type() Type { return TypeStrategyDeleted }

func (e StrategyCreated) Subject() string { return string(e.Strategy) }
func (e StrategyUpdated) Subject() string { return string(e.Strategy) }
func (e StrategyDeleted) Subject() string { return string(e.Strategy) }
